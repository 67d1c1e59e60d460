package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/**
 * MSI-X as config space has it, and where in the BARs table and pending bits are (PC-27). The table
 * itself is a {@link MsiXTable}; after {@link Effect#MESSAGES} it is told by {@link #program}.
 */
public final class MsiX extends Capability {
    private static final RegisterMap<MsiXRegister> MAP = new RegisterMap<>(MsiXRegister.class, 12);
    private static final int ENABLE = 1 << 31;
    private static final int FUNCTION_MASK = 1 << 30;

    private final CapabilityLayout.MsiX layout;

    MsiX(CapabilityChain chain, CapabilityLayout.MsiX layout) {
        super(chain, CapabilityId.MSI_X, 12);
        this.layout = layout;
        define(MAP);
        preset(MsiXRegister.CONTROL, MsiXRegister.TABLE_SIZE, layout.vectors() - 1);
        preset(MsiXRegister.TABLE, MsiXRegister.TABLE_BAR, layout.tableBar());
        preset(MsiXRegister.TABLE, MsiXRegister.TABLE_OFFSET, layout.tableOffset() >>> 3);
        preset(MsiXRegister.PBA, MsiXRegister.PBA_BAR, layout.pbaBar());
        preset(MsiXRegister.PBA, MsiXRegister.PBA_OFFSET, layout.pbaOffset() >>> 3);
    }

    /** {@return whether messages are on} */
    public boolean enabled() {
        return (config.dword(at()) & ENABLE) != 0;
    }

    /** {@return whether all entries count as masked} */
    public boolean functionMasked() {
        return (config.dword(at()) & FUNCTION_MASK) != 0;
    }

    /** {@return entries of the table} */
    public int vectors() {
        return layout.vectors();
    }

    /** Tells the table what stands here; {@link MsiXTable#sendPending} is to follow. */
    public void program(MsiXTable table) {
        table.program(enabled(), functionMasked());
    }

    /** {@return whether an offset of a BAR is the table's} */
    public boolean inTable(int bar, long offset) {
        return bar == layout.tableBar()
                && offset >= layout.tableOffset()
                && offset - layout.tableOffset() < layout.tableBytes();
    }

    /** {@return whether an offset of a BAR is the pending bits'} */
    public boolean inPending(int bar, long offset) {
        return bar == layout.pbaBar()
                && offset >= layout.pbaOffset()
                && offset - layout.pbaOffset() < layout.pbaBytes();
    }

    /** {@return what software reads where {@link #inTable} or {@link #inPending} holds} */
    public long read(MsiXTable table, int bar, long offset, int bytes) {
        return inTable(bar, offset)
                ? table.read(offset - layout.tableOffset(), bytes)
                : table.readPending(offset - layout.pbaOffset(), bytes);
    }

    /** Software writes where {@link #inTable} or {@link #inPending} holds. */
    public void write(MsiXTable table, int bar, long offset, int bytes, long value) {
        if (inTable(bar, offset)) {
            table.write(offset - layout.tableOffset(), bytes, value);
        }
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        return dword == 0 ? Effect.MESSAGES | Effect.INTX : 0;
    }
}
