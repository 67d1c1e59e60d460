package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How wide every window of a tree must be, bottom up: for what is below, packed anew.
 *
 * <p><b>Threads.</b> One; the tree does not change meanwhile.
 */
final class Sizes {
    /** Past it sums would overflow. */
    private static final long MOST = 1L << 61;

    private static final Need NOTHING = new Need(0, 0, 1, Map.of());

    private final @Nullable Claim newcomer;
    private final boolean reserves;
    private final int slack;
    private final Map<Aperture, Need> known = new HashMap<>();

    /**
     * What a window needs.
     *
     * @param bytes 0: it is closed; negative: more than there are addresses
     * @param footprint with the free addresses behind it
     * @param offsets where everything directly in it goes
     */
    record Need(long bytes, long footprint, long align, Map<Tenant, Long> offsets) {}

    /**
     * @param newcomer who is to get a place, too
     * @param reserves whether hot-plug slots get what they keep free
     * @param slack so many times its size a window gets, the rest as room to grow
     */
    Sizes(@Nullable Claim newcomer, boolean reserves, int slack) {
        this.newcomer = newcomer;
        this.reserves = reserves;
        this.slack = slack;
    }

    /** {@return with as much room to grow as possible first, with nothing but the need last} */
    static List<Sizes> generousToTight(@Nullable Claim newcomer) {
        return List.of(
                new Sizes(newcomer, true, 16),
                new Sizes(newcomer, true, 4),
                new Sizes(newcomer, true, 1),
                new Sizes(newcomer, false, 1));
    }

    /** {@return what is to be put into an aperture: without those that stay where they are} */
    List<Packing.Block> blocks(Aperture in, Set<? extends Tenant> stay) {
        List<Packing.Block> blocks = new ArrayList<>();
        for (Aperture.Run run : in.taken().values()) {
            if (run.by() instanceof Claim claim && !stay.contains(claim)) {
                blocks.add(new Packing.Block(claim, claim.bytes(), claim.align()));
            }
        }
        for (Aperture window : in.below()) {
            if (!stay.contains(window)) {
                Need need = of(window);
                if (need.bytes() != 0) {
                    blocks.add(new Packing.Block(window, need.footprint(), need.align()));
                }
            }
        }
        if (newcomer != null && newcomer.from() == in) {
            blocks.add(new Packing.Block(newcomer, newcomer.bytes(), newcomer.align()));
        }
        return blocks;
    }

    /** {@return whether hot-plug slots get what they keep free} */
    boolean reserves() {
        return reserves;
    }

    Need of(Aperture window) {
        Need need = known.get(window);
        if (need == null) {
            need = pack(window);
            known.put(window, need);
        }
        return need;
    }

    private Need pack(Aperture window) {
        List<Packing.Block> blocks = blocks(window, Set.of());
        long least = reserves ? window.reserve() : 0;
        if (blocks.isEmpty() && least == 0) {
            return NOTHING;
        }
        Packing.Result packed = new Packing(0, MOST - 1).put(blocks);
        if (packed == null) {
            return new Need(-1, -1, window.grain(), Map.of());
        }
        long align = window.grain();
        for (Packing.Block block : blocks) {
            align = Math.max(align, block.align());
        }
        long bytes = Aperture.align(Math.max(packed.last() + 1, least), window.grain());
        long footprint = bytes > MOST / slack ? -1 : bytes * slack;
        return new Need(bytes, footprint, align, packed.places());
    }
}
