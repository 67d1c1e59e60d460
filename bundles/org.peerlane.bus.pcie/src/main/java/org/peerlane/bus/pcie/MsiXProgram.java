package org.peerlane.bus.pcie;

import java.util.Arrays;
import org.peerlane.bus.api.CapabilityLayout;

/** Programs the MSI-X table through its BAR: an interrupt for each vector that is asked for. */
final class MsiXProgram implements HostInterrupts.MessageTable {
    private static final int MSI_X = 0x11;
    private static final int CONTROL = 2;
    private static final int ENABLE = 1 << 15;
    private static final int ENTRY_BYTES = 16;
    private static final int MASKED = 1;

    private final Endpoint function;
    private final InterruptController controller;
    private final CapabilityLayout.MsiX layout;

    /** By vector: its interrupt, or -1. */
    private final int[] interrupts;

    MsiXProgram(Endpoint function, InterruptController controller, CapabilityLayout.MsiX layout) {
        this.function = function;
        this.controller = controller;
        this.layout = layout;
        interrupts = new int[layout.vectors()];
        Arrays.fill(interrupts, -1);
    }

    @Override
    public int interrupt(int vector) {
        if (interrupts[vector] < 0) {
            interrupts[vector] = controller.allocate(1);
        }
        return interrupts[vector];
    }

    @Override
    public void program(boolean[] taken) {
        int at = Capabilities.legacy(function, MSI_X);
        if (at == 0) {
            return; // not reached any more
        }
        boolean any = false;
        for (int i = 0; i < interrupts.length; i++) {
            any |= taken[i];
            if (interrupts[i] >= 0) {
                entry(i, taken[i]);
            }
        }
        function.writeConfig(at + CONTROL, 2, any ? ENABLE : 0);
    }

    private void entry(int vector, boolean taken) {
        long entry = layout.tableOffset() + (long) vector * ENTRY_BYTES;
        if (!taken) {
            function.write(layout.tableBar(), entry + 12, 4, MASKED);
            return;
        }
        long address = InterruptController.address(interrupts[vector]);
        function.write(layout.tableBar(), entry, 4, address);
        function.write(layout.tableBar(), entry + 4, 4, address >>> 32);
        function.write(
                layout.tableBar(), entry + 8, 4, InterruptController.data(interrupts[vector]));
        function.write(layout.tableBar(), entry + 12, 4, 0);
    }

    @Override
    public void close() {
        for (int i = 0; i < interrupts.length; i++) {
            if (interrupts[i] >= 0) {
                controller.free(interrupts[i], 1);
                interrupts[i] = -1;
            }
        }
    }
}
