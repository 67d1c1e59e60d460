package org.peerlane.bus.api;

/**
 * The settings of a function that a reset loses: header, Express controls, MSI and MSI-X. Kernel
 * counterpart: {@code pci_save_state}, {@code pci_restore_state}.
 *
 * <p><b>Threads.</b> One at a time; nobody else may change the settings meanwhile.
 */
public final class SavedState {
    private static final int HEADER_DWORDS = 16;
    private static final int COMMAND = 0x04;
    private static final int LIST = 0x34;
    private static final int MOST_CAPABILITIES = 48;
    private static final int MSI = 0x05;
    private static final int EXPRESS = 0x10;
    private static final int MSI_X = 0x11;

    /** Device, link, slot and root control, and the second ones of device and link. */
    private static final int[] EXPRESS_CONTROLS = {0x08, 0x10, 0x28, 0x30};

    private static final int MSI_DWORDS = 5; // address, data, mask
    private static final int MSI_X_ENTRY_DWORDS = 4;

    private final PcieFunction function;
    private final int express;
    private final int msi;
    private final int msiX;
    private final long[] header = new long[HEADER_DWORDS];
    private final long[] controls = new long[EXPRESS_CONTROLS.length];
    private final long[] messages = new long[MSI_DWORDS];
    private final long msiControl;
    private final long msiXControl;
    private final long[] vectors;

    /** Reads the settings. */
    public SavedState(PcieFunction function) {
        this.function = function;
        express = capability(function, EXPRESS);
        msi = capability(function, MSI);
        msiX = capability(function, MSI_X);
        for (int i = 0; i < HEADER_DWORDS; i++) {
            header[i] = function.readConfig(4 * i, 4);
        }
        for (int i = 0; express != 0 && i < controls.length; i++) {
            controls[i] = function.readConfig(express + EXPRESS_CONTROLS[i], 2);
        }
        msiControl = msi == 0 ? 0 : function.readConfig(msi + 2, 2);
        for (int i = 1; msi != 0 && i < msiDwords(); i++) {
            messages[i] = function.readConfig(msi + 4 * i, 4);
        }
        msiXControl = msiX == 0 ? 0 : function.readConfig(msiX + 2, 2);
        // only a table that is in use is worth keeping, and only while memory is decoded
        boolean table = (msiXControl & 1 << 15) != 0 && (header[1] & 2) != 0;
        vectors = new long[table ? MSI_X_ENTRY_DWORDS * ((int) (msiXControl & 0x7FF) + 1) : 0];
        for (int i = 0; i < vectors.length; i++) {
            vectors[i] = function.read(tableBar(), tableOffset() + 4L * i, 4);
        }
    }

    private int msiDwords() {
        boolean wide = (msiControl & 1 << 7) != 0;
        boolean masks = (msiControl & 1 << 8) != 0;
        return 1 + (wide ? 3 : 2) + (masks ? 1 : 0);
    }

    private int tableBar() {
        return (int) function.readConfig(msiX + 4, 4) & 7;
    }

    private long tableOffset() {
        return function.readConfig(msiX + 4, 4) & ~7L;
    }

    /** Gives them back, the command register after all that it switches on. */
    public void restore() {
        for (int i = 0; express != 0 && i < controls.length; i++) {
            function.writeConfig(express + EXPRESS_CONTROLS[i], 2, controls[i]);
        }
        for (int i = HEADER_DWORDS - 1; i > 1; i--) {
            function.writeConfig(4 * i, 4, header[i]);
        }
        function.writeConfig(
                COMMAND, 2, header[1] & 0xFFFF); // never the status: it is cleared by 1
        for (int i = 0; i < vectors.length; i++) {
            function.write(tableBar(), tableOffset() + 4L * i, 4, vectors[i]);
        }
        for (int i = 1; msi != 0 && i < msiDwords(); i++) {
            function.writeConfig(msi + 4 * i, 4, messages[i]);
        }
        if (msi != 0) {
            function.writeConfig(msi + 2, 2, msiControl);
        }
        if (msiX != 0) {
            function.writeConfig(msiX + 2, 2, msiXControl);
        }
    }

    /** {@return where a capability of the legacy list is, or 0} */
    static int capability(PcieFunction function, int id) {
        int at = (int) function.readConfig(LIST, 1) & ~3;
        for (int i = 0; at >= 0x40 && i < MOST_CAPABILITIES; i++) {
            if (function.readConfig(at, 1) == id) {
                return at;
            }
            at = (int) function.readConfig(at + 1, 1) & ~3;
        }
        return 0;
    }
}
