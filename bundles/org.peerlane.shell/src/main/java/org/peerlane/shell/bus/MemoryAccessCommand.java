package org.peerlane.shell.bus;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Numbers;

/**
 * {@code mem:read}, {@code mem:write}, {@code mem:poll}: loads and stores of the CPU, at physical
 * addresses, into RAM and registers alike; what BusyBox's {@code devmem} does through {@code
 * /dev/mem}. No driver is asked.
 *
 * <p><b>Where</b> is an address such as {@code 0xfe000080}, or a place in a BAR such as {@code
 * edu0.bar0+0x80}.
 */
@Component(
        service = MemoryAccessCommand.class,
        property = {
            "osgi.command.scope=mem",
            "osgi.command.function=read",
            "osgi.command.function=write",
            "osgi.command.function=poll"
        })
public final class MemoryAccessCommand {
    private static final Pattern IN_BAR = Pattern.compile("(.+)\\.bar([0-5])(?:\\+(.+))?");
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LIMIT_SECONDS = 5;

    private final PcieBus bus;
    private final Execution execution;

    /** For the framework. */
    @Activate
    public MemoryAccessCommand(@Reference PcieBus bus, @Reference Execution execution) {
        this.bus = bus;
        this.execution = execution;
    }

    /** {@return what is read} */
    @Descriptor("reads memory or a register, as the CPU does")
    public String read(
            @Descriptor("an address, or a place such as edu0.bar0+0x80") String where,
            @Descriptor("8, 16, 32 or 64") String bits) {
        int bytes = bytes(bits);
        return text(bus.load(address(where, bytes), bytes), bytes);
    }

    /** Writes. */
    @Descriptor("writes memory or a register, as the CPU does")
    public void write(
            @Descriptor("an address, or a place such as edu0.bar0+0x80") String where,
            @Descriptor("8, 16, 32 or 64") String bits,
            @Descriptor("what to write") String value) {
        int bytes = bytes(bits);
        bus.store(address(where, bytes), bytes, Numbers.parse("value", value, most(bytes)));
    }

    /**
     * Reads until some bits are as wanted.
     *
     * @return what was read then
     * @throws ErrnoException {@code ETIMEDOUT} they are not within {@value #LIMIT_SECONDS} s
     */
    @Descriptor("reads until the bits of a mask have a value, for 5 s at most")
    public String poll(
            @Descriptor("an address, or a place such as edu0.bar0+0x80") String where,
            @Descriptor("8, 16, 32 or 64") String bits,
            @Descriptor("which bits count") String mask,
            @Descriptor("what they shall be") String value)
            throws InterruptedException {
        int bytes = bytes(bits);
        long address = address(where, bytes);
        long those = Numbers.parse("mask", mask, most(bytes));
        long wanted = Numbers.parse("value", value, those);
        long end = execution.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        long seen = bus.load(address, bytes);
        while ((seen & those) != wanted) {
            if (execution.nanoTime() - end > 0) {
                throw new ErrnoException(
                        Errno.ETIMEDOUT,
                        "%s reads %s after %d s; expected 0x%x in the bits 0x%x"
                                .formatted(where, text(seen, bytes), LIMIT_SECONDS, wanted, those));
            }
            execution.sleep(POLL_NANOS);
            seen = bus.load(address, bytes);
        }
        return text(seen, bytes);
    }

    private static int bytes(String bits) {
        return switch (bits) {
            case "8" -> 1;
            case "16" -> 2;
            case "32" -> 4;
            case "64" -> 8;
            default ->
                    throw new ErrnoException(
                            Errno.EINVAL, "'%s' bits; expected 8, 16, 32 or 64".formatted(bits));
        };
    }

    private static long most(int bytes) {
        return -1L >>> 64 - 8 * bytes;
    }

    private static String text(long value, int bytes) {
        return ("0x%0" + 2 * bytes + "x").formatted(value);
    }

    private long address(String where, int bytes) {
        Matcher place = IN_BAR.matcher(where);
        long address =
                place.matches()
                        ? inBar(place.group(1), place.group(2), place.group(3), bytes)
                        : Numbers.parse("address", where, -1);
        if ((address & bytes - 1) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s is 0x%x; expected a multiple of %d for %d bits"
                            .formatted(where, address, bytes, 8 * bytes));
        }
        return address;
    }

    private long inBar(String function, String index, String offset, int bytes) {
        List<PcieFunction> functions = bus.functions();
        var bar = FunctionName.find(functions, function).bar(Integer.parseInt(index));
        long at = offset == null ? 0 : Numbers.parse("offset", offset, bar.bytes() - bytes);
        return bar.first().value() + at;
    }
}
