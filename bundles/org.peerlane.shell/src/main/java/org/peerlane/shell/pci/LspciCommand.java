package org.peerlane.shell.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;

/** {@code lspci}: the functions on the bus, as the tool of that name shows them. */
@Component(
        service = LspciCommand.class,
        property = {"osgi.command.scope=peerlane", "osgi.command.function=lspci"})
public final class LspciCommand {
    private final PcieBus bus;

    /** For the framework. */
    @Activate
    public LspciCommand(@Reference PcieBus bus) {
        this.bus = bus;
    }

    /**
     * {@return the report, or null: nothing to show}
     *
     * @param arguments its options
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} an option that it does not have
     */
    public @Nullable String lspci(String... arguments) {
        LspciOptions options = LspciOptions.of(arguments);
        List<PcieFunction> all = bus.functions();
        String text = options.isTree() ? TreeText.of(all, options) : list(all, options).toString();
        return text.isEmpty() ? null : text;
    }

    private static Lines list(List<PcieFunction> all, LspciOptions options) {
        boolean domains =
                options.showsDomains() || all.stream().anyMatch(f -> f.address().segment() != 0);
        Lines out = new Lines();
        for (PcieFunction function : options.filter().of(all)) {
            String address = function.address().toString();
            ConfigView config = new ConfigView(function);
            HeaderText.terse(
                    out,
                    config,
                    domains ? address : address.substring(address.indexOf(':') + 1),
                    options,
                    options.style());
            if (options.verbose() > 0) {
                HeaderText.verbose(out, config, options.verbose(), options.style());
            }
            dump(out, config, options.dumpBytes());
            if (options.verbose() > 0 || options.dumpBytes() > 0) {
                out.line("");
            }
        }
        return out;
    }

    private static void dump(Lines out, ConfigView config, int bytes) {
        for (int row = 0; row < bytes; row += 16) {
            out.add("%02x:".formatted(row));
            for (int i = 0; i < 16; i++) {
                out.add(" %02x".formatted(config.u8(row + i)));
            }
            out.line("");
        }
    }
}
