package org.peerlane.dmabuf.core.shadow;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.MappingState;

/**
 * One mapping in the index, and what is kept of it once it has been taken back.
 *
 * <p><b>Threads.</b> Any.
 */
public final class Entry {
    /** Where it is in the table of entries. */
    final int slot;

    /** How many had the slot before. */
    final int reuse;

    /** The how-manieth mapping of the index it is. */
    final long made;

    final AddressTree tree;

    /** First and last address of each run, in pairs. */
    final long[] runs;

    /** The device may only read. */
    final boolean readOnly;

    /** Null once the mapping has been taken back. */
    private volatile @Nullable Watched live;

    private volatile @Nullable Facts kept;
    private final AtomicInteger reported = new AtomicInteger();
    private final LongAdder again = new LongAdder();

    Entry(
            int slot,
            int reuse,
            long made,
            AddressTree tree,
            long[] runs,
            boolean readOnly,
            Watched live) {
        this.slot = slot;
        this.reuse = reuse;
        this.made = made;
        this.tree = tree;
        this.runs = runs;
        this.readOnly = readOnly;
        this.live = live;
    }

    /** {@return the mapping, or null: it has been taken back} */
    @Nullable Watched live() {
        return live;
    }

    boolean isKept() {
        return live == null;
    }

    MappingState state() {
        Watched its = live;
        return its == null ? MappingState.UNMAPPED : its.seen();
    }

    /** The mapping has been taken back; only what reports say of it is kept. */
    void keep(Facts facts) {
        kept = facts;
        live = null;
    }

    Facts facts() {
        Facts last = kept;
        if (last != null) {
            return last;
        }
        Watched its = live;
        if (its != null) {
            return its.facts();
        }
        return Objects.requireNonNull(kept); // it has just been taken back
    }

    /** {@return whether it may be used for an access of this direction now} */
    boolean allows(boolean write) {
        return !(write && readOnly) && state() == MappingState.VALID;
    }

    /**
     * {@return whether this is the first report of its kind} Further ones are counted.
     *
     * @param kind 0 to 31
     */
    boolean isFirst(int kind) {
        int bit = 1 << kind;
        while (true) {
            int before = reported.get();
            if ((before & bit) != 0) {
                again.increment();
                return false;
            }
            if (reported.compareAndSet(before, before | bit)) {
                return true;
            }
        }
    }

    /** {@return how often what had been reported happened again} */
    public long again() {
        return again.sum();
    }
}
