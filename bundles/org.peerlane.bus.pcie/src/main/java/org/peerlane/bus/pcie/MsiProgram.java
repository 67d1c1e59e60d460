package org.peerlane.bus.pcie;

/** Programs the MSI capability: one run of interrupts for all vectors. */
final class MsiProgram implements HostInterrupts.MessageTable {
    private static final int MSI = 0x05;
    private static final int CONTROL = 2;
    private static final int ADDRESS = 4;
    private static final int ENABLE = 1;
    private static final int WIDE = 1 << 7;
    private static final int MASKABLE = 1 << 8;

    private final Endpoint function;
    private final InterruptController controller;
    private final int vectors;

    /** First interrupt of the run, -1 until one is needed. */
    private int first = -1;

    MsiProgram(Endpoint function, InterruptController controller, int vectors) {
        this.function = function;
        this.controller = controller;
        this.vectors = vectors;
    }

    @Override
    public int interrupt(int vector) {
        if (first < 0) {
            first = controller.allocate(vectors);
        }
        return first + vector;
    }

    @Override
    public void program(boolean[] taken) {
        int at = Capabilities.legacy(function, MSI);
        if (at == 0 || first < 0) {
            return; // not reached any more
        }
        int control = (int) function.readConfig(at + CONTROL, 2);
        long address = InterruptController.address(first);
        int data = at + ADDRESS + 4;
        function.writeConfig(at + ADDRESS, 4, address);
        if ((control & WIDE) != 0) {
            function.writeConfig(at + ADDRESS + 4, 4, address >>> 32);
            data += 4;
        }
        function.writeConfig(data, 2, InterruptController.data(first));
        long masked = 0;
        boolean any = false;
        for (int i = 0; i < vectors; i++) {
            masked |= taken[i] ? 0 : 1L << i;
            any |= taken[i];
        }
        if ((control & MASKABLE) != 0) {
            function.writeConfig(data + 4, 4, masked);
        }
        int enabled = Integer.numberOfTrailingZeros(vectors) << 4 | ENABLE;
        function.writeConfig(at + CONTROL, 2, any ? enabled : 0);
    }

    @Override
    public void close() {
        if (first >= 0) {
            controller.free(first, vectors);
            first = -1;
        }
    }
}
