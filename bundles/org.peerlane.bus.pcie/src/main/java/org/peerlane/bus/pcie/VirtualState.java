package org.peerlane.bus.pcie;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.SrIov;

/**
 * What the config space of a physical function says of its virtual ones, published as a whole.
 * Never changed.
 */
final class VirtualState {
    /** There are none. */
    static final VirtualState NONE = new VirtualState(0, 0, false, 0);

    /** Differs between two times that they were switched on. */
    final long life;

    /** How many there are. */
    final int count;

    /** The physical function is in D0. */
    final boolean awake;

    private final long[] first;
    private final long[] bytes;

    private VirtualState(long life, int count, boolean awake, int bars) {
        this.life = life;
        this.count = count;
        this.awake = awake;
        first = new long[bars];
        bytes = new long[bars];
    }

    /**
     * {@return what config space says now}
     *
     * @param srIov with its function's lock held; null: the function has no such capability
     * @param there the function is present and not in reset
     */
    static VirtualState of(
            VirtualState before, @Nullable SrIov srIov, boolean there, boolean awake) {
        int count = srIov != null && there && srIov.enabled() ? srIov.numVfs() : 0;
        if (srIov == null || count == 0) {
            return before.count == 0 ? before : new VirtualState(before.life, 0, false, 0);
        }
        long life = before.life + (before.count == 0 ? 1 : 0);
        VirtualState now = new VirtualState(life, count, awake, Endpoint.BARS);
        for (int i = 0; i < Endpoint.BARS; i++) {
            now.first[i] = srIov.bar(1, i, awake);
            now.bytes[i] = srIov.barBytes(i);
        }
        return now;
    }

    /** {@return where a BAR of one decodes, as a bus address; 0: not} */
    long base(int vf, int bar) {
        return vf > count || first[bar] == 0 ? 0 : first[bar] + (vf - 1) * bytes[bar];
    }

    /** {@return bytes of a BAR of each; 0: there is none} */
    long barBytes(int bar) {
        return count == 0 ? 0 : bytes[bar];
    }

    boolean sameAs(VirtualState other) {
        return life == other.life
                && count == other.count
                && awake == other.awake
                && Arrays.equals(first, other.first)
                && Arrays.equals(bytes, other.bytes);
    }
}
