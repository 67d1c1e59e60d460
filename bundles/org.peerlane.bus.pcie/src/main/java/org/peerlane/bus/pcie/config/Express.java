package org.peerlane.bus.pcie.config;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.registers.RegisterMap;

/**
 * PCI Express: the function's own registers here, those of its link, slot and root in {@link Link},
 * {@link Slot} and {@link RootControl}.
 */
public final class Express extends Capability {
    private static final int BYTES = 0x3C;
    private static final RegisterMap<ExpressRegister> MAP =
            new RegisterMap<>(ExpressRegister.class, BYTES);

    private static final int SLOT = 0x14;
    private static final int ROOT = 0x1C;
    private static final int ROOT_END = 0x24;

    private final ExpressType type;
    private final boolean flr;
    private final @Nullable Link link;
    private final @Nullable Slot slot;
    private final @Nullable RootControl root;

    /**
     * Joins the chain.
     *
     * @param port what a port adds, or null
     */
    Express(
            CapabilityChain chain,
            CapabilityLayout.Express layout,
            ExpressType type,
            @Nullable PortLayout port) {
        super(chain, CapabilityId.EXPRESS, BYTES);
        this.type = type;
        SlotLayout below = port == null ? null : port.slot();
        flr = layout.flr() && port == null;
        define(MAP);
        preset(ExpressRegister.FLAGS, ExpressRegister.TYPE, type.code());
        preset(ExpressRegister.FLAGS, ExpressRegister.SLOT, below != null);
        preset(ExpressRegister.DEVCAP, ExpressRegister.FLR, flr);
        int payload = Integer.numberOfTrailingZeros(layout.maxPayload()) - 7;
        preset(ExpressRegister.DEVCAP, ExpressRegister.MAX_PAYLOAD_SUPPORTED, payload);
        preset(
                ExpressRegister.DEVCAP,
                ExpressRegister.EXTENDED_TAG_SUPPORTED,
                layout.extendedTags());
        if (!layout.extendedTags()) {
            limit(ExpressRegister.DEVCTL, ExpressRegister.EXTENDED_TAG, 0);
        }
        preset(ExpressRegister.DEVCAP2, ExpressRegister.TIMEOUT_RANGES, 0xF);
        preset(ExpressRegister.DEVCAP2, ExpressRegister.ARI_SUPPORTED, type.leadsDown());
        limit(ExpressRegister.DEVCTL2, ExpressRegister.ARI_FORWARDING, type.leadsDown() ? 1 : 0);
        limit(ExpressRegister.DEVCTL2, ExpressRegister.ATOMIC_EGRESS_BLOCK, 0);
        keepWithLink(ExpressRegister.DEVCTL, ExpressRegister.MAX_PAYLOAD);
        link = type.hasLink() ? new Link(config, at(), layout, type, port) : null;
        slot = below == null || link == null ? null : new Slot(config, at(), below, link);
        root = type == ExpressType.ROOT_PORT ? new RootControl(config, at()) : null;
    }

    /** {@return what it is in the hierarchy} */
    public ExpressType type() {
        return type;
    }

    /** {@return its link, or null: it has none} */
    public @Nullable Link link() {
        return link;
    }

    /** {@return the slot below, or null} */
    public @Nullable Slot slot() {
        return slot;
    }

    /** {@return what a root port has, or null} */
    public @Nullable RootControl root() {
        return root;
    }

    /** {@return whether it can be reset alone (PC-61)} */
    public boolean canFlr() {
        return flr;
    }

    /** {@return bytes of payload that it sends at most} */
    public int maxPayload() {
        return 128 << Math.min(5, get(ExpressRegister.DEVCTL, ExpressRegister.MAX_PAYLOAD));
    }

    /** {@return bytes that it reads at once at most} */
    public int maxRead() {
        return 128 << Math.min(5, get(ExpressRegister.DEVCTL, ExpressRegister.MAX_READ));
    }

    /** {@return whether requests may say that order does not matter} */
    public boolean relaxedOrdering() {
        return is(ExpressRegister.DEVCTL, ExpressRegister.RELAXED_ORDERING);
    }

    /** {@return whether requests may say that caches need not be looked at} */
    public boolean noSnoop() {
        return is(ExpressRegister.DEVCTL, ExpressRegister.NO_SNOOP);
    }

    /** {@return whether the port takes function numbers of 8 bits below it} */
    public boolean ariForwarding() {
        return is(ExpressRegister.DEVCTL2, ExpressRegister.ARI_FORWARDING);
    }

    /** Says whether requests of the function are outstanding: DevSta bit 5. */
    public void pending(boolean outstanding) {
        set(ExpressRegister.DEVSTA, ExpressRegister.PENDING, outstanding);
    }

    /** {@return how long a read waits for its completion; {@link Long#MAX_VALUE}: for ever} */
    public long completionTimeoutNanos() {
        if (is(ExpressRegister.DEVCTL2, ExpressRegister.TIMEOUT_DISABLE)) {
            return Long.MAX_VALUE;
        }
        return switch (get(ExpressRegister.DEVCTL2, ExpressRegister.TIMEOUT)) {
            case 1 -> 100_000L;
            case 2 -> 10_000_000L;
            case 5 -> 55_000_000L;
            case 6 -> 210_000_000L;
            case 9 -> 900_000_000L;
            case 10 -> 3_500_000_000L;
            case 13 -> 13_000_000_000L;
            case 14 -> 64_000_000_000L;
            default -> 50_000_000L; // PC-67: 50 us to 50 ms
        };
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (hit(ExpressRegister.DEVCTL, dword, lanes)) {
            boolean start = ExpressRegister.START_FLR.get(of(ExpressRegister.DEVCTL, x)) != 0;
            return flr && start ? Effect.FLR : 0;
        }
        if (dword < SLOT) {
            int effects = link == null ? 0 : link.written(dword, lanes, x, before);
            if (effects != 0 && slot != null && slot.follow()) {
                effects |= Effect.SLOT_INTERRUPT;
            }
            return effects;
        }
        if (dword < ROOT) {
            return slot == null ? 0 : slot.written(dword, lanes, x, before);
        }
        return dword < ROOT_END && root != null ? root.written(dword, lanes, x, before) : 0;
    }

    @Override
    void reset(ResetKind kind) {
        if (slot != null) {
            slot.reset(kind);
        }
    }
}
