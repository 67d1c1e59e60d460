package org.peerlane.shell.bus;

import java.util.List;
import java.util.stream.Collectors;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** Functions as people name them: by slot, such as {@code edu0}, or by address. */
public final class FunctionName {
    private FunctionName() {}

    /**
     * {@return the function that is meant}
     *
     * @throws ErrnoException {@code ENODEV} there is none
     */
    public static PcieFunction find(List<PcieFunction> functions, String text) {
        for (PcieFunction function : functions) {
            if (function.slot().equals(text)) {
                return function;
            }
        }
        if (text.contains(":")) {
            PcieAddress address = PcieAddress.parse(text);
            for (PcieFunction function : functions) {
                if (function.address().equals(address)) {
                    return function;
                }
            }
        }
        throw none(functions, text);
    }

    /**
     * {@return the address that is meant; of an address, there need be nobody}
     *
     * @throws ErrnoException {@code ENODEV} it is neither the name of a slot with something in it
     *     nor an address
     */
    public static PcieAddress address(List<PcieFunction> functions, String text) {
        return text.contains(":") ? PcieAddress.parse(text) : find(functions, text).address();
    }

    private static ErrnoException none(List<PcieFunction> functions, String text) {
        String slots =
                functions.stream()
                        .map(PcieFunction::slot)
                        .filter(slot -> !slot.isEmpty())
                        .distinct()
                        .collect(Collectors.joining(", "));
        return new ErrnoException(
                Errno.ENODEV,
                "there is no function '%s'; expected an address such as 00:04.0%s"
                        .formatted(text, slots.isEmpty() ? "" : ", or one of " + slots));
    }
}
