package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.registers.RegisterMap;

/**
 * Virtual functions of a physical one (PC-34 to PC-36). VFs are numbered from 1, as the
 * specification does.
 *
 * <p><b>Refused.</b> While VFs are enabled, NumVFs and the page size stay; NumVFs above TotalVFs
 * (ER-31), and a page size that is not one of the supported, leave what was there.
 */
public final class SrIov extends Capability {
    /** What {@link #requesterId} answers if there is no such VF. */
    public static final int NONE = -1;

    private static final RegisterMap<SrIovRegister> MAP =
            new RegisterMap<>(SrIovRegister.class, 0x40);
    private static final int BARS = 0x24;
    private static final int NUM_VFS = 0x10;
    private static final int SYSTEM_PAGE = 0x20;
    private static final int CONTROL = 0x08;
    private static final int PAGE_LG2 = 12;

    private final CapabilityLayout.SrIov layout;
    private final BarRegisters bars;
    private final long[] bases = new long[BarRegisters.BARS];

    SrIov(CapabilityChain chain, CapabilityLayout.SrIov layout) {
        super(chain, CapabilityId.SR_IOV, 0x40);
        this.layout = layout;
        define(MAP);
        preset(SrIovRegister.INITIAL_VFS, SrIovRegister.INITIAL, layout.totalVfs());
        preset(SrIovRegister.TOTAL_VFS, SrIovRegister.TOTAL, layout.totalVfs());
        preset(SrIovRegister.FIRST_OFFSET, SrIovRegister.OFFSET, layout.firstOffset());
        preset(SrIovRegister.STRIDE, SrIovRegister.STEP, layout.stride());
        preset(SrIovRegister.VF_DEVICE, SrIovRegister.VF_DEVICE_ID, layout.vfDeviceId());
        preset(
                SrIovRegister.SUPPORTED_PAGES,
                SrIovRegister.SUPPORTED,
                layout.supportedPageSizes() & 0xFFFF_FFFFL);
        bars = new BarRegisters(config, at() + BARS, layout.bars(), 0, null);
    }

    /** {@return whether the VFs are there} */
    public boolean enabled() {
        return (config.dword(at() + CONTROL) & 1) != 0;
    }

    /** {@return whether memory BARs of the VFs decode} */
    public boolean memory() {
        return (config.dword(at() + CONTROL) & 1 << 3) != 0;
    }

    /** {@return VFs that are there when enabled} */
    public int numVfs() {
        return config.dword(at() + NUM_VFS) & 0xFFFF;
    }

    /**
     * {@return the requester id of a VF, or {@link #NONE}: not enabled, or past the last bus}
     *
     * @param physical requester id of the function itself
     * @param vf from 1
     */
    public int requesterId(int physical, int vf) {
        if (!enabled() || vf < 1 || vf > numVfs()) {
            return NONE;
        }
        long id = physical + layout.firstOffset() + (vf - 1L) * layout.stride();
        return id > 0xFFFF ? NONE : (int) id;
    }

    /** {@return bytes of one VF's BAR, at least a system page; 0: there is none} */
    public long barBytes(int index) {
        return bars.bytes(index);
    }

    /**
     * {@return where a VF's BAR decodes; 0: it does not}
     *
     * @param vf from 1
     * @param awake whether the physical function is in D0
     */
    public long bar(int vf, int index, boolean awake) {
        if (!enabled() || vf < 1 || vf > numVfs()) {
            return 0;
        }
        bars.bases(bases, awake && memory(), false);
        long base = bases[index];
        long bytes = bars.bytes(index);
        long end = base + bytes * numVfs() - 1;
        boolean wraps = Long.compareUnsigned(end, base) < 0 || !wide(index) && end >>> 32 != 0;
        return base == 0 || wraps ? 0 : base + (vf - 1) * bytes;
    }

    private boolean wide(int index) {
        for (BarLayout bar : layout.bars()) {
            if (bar.index() == index) {
                return bar.wide();
            }
        }
        return false;
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        boolean on = enabled();
        switch (dword) {
            case NUM_VFS -> {
                if (on || numVfs() > layout.totalVfs()) {
                    config.set(at() + NUM_VFS, 4, before);
                }
            }
            case SYSTEM_PAGE -> {
                int page = config.dword(at() + SYSTEM_PAGE);
                boolean one = Integer.bitCount(page & layout.supportedPageSizes()) == 1;
                if (on || !one || Integer.bitCount(page) != 1) {
                    config.set(at() + SYSTEM_PAGE, 4, before);
                } else {
                    sizes(page);
                }
            }
            default -> bars.written(at() + dword, memory());
        }
        return before != config.dword(at() + dword) ? Effect.VIRTUAL_FUNCTIONS : 0;
    }

    /** A VF's BAR takes at least a page of the system's. */
    private void sizes(int page) {
        long bytes = 1L << PAGE_LG2 + Integer.numberOfTrailingZeros(page);
        for (BarLayout bar : layout.bars()) {
            bars.resize(bar.index(), Math.max(bytes, bar.bytes()));
        }
    }

    @Override
    void reset(ResetKind kind) {
        bars.reset();
    }
}
