package org.peerlane.dmabuf.core.shadow;

import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.core.check.Violations;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Which mapping a device uses: by requester, address space and address. Each request is looked up
 * when it begins and judged, by the state of that mapping, when its bytes have arrived; so what was
 * posted in time and came late is seen, and so is what an IOMMU has stopped. It looks and reports,
 * and nothing else (section 11: CK-1, CK-2, CK-3, CK-28, CK-56).
 *
 * <p><b>Exact.</b> A request is late if nothing had told its function that it had ended when the
 * mapping's state changed. Fences are taken as signaled once their signal can be seen; no issuer is
 * asked. Where several mappings of a requester have an address, an access that one of them allowed
 * is right. An address that has been mapped anew belongs to the new mapping.
 *
 * <p><b>Memory.</b> What has been taken back is kept until its addresses are mapped anew, the
 * latest {@link #KEPT} of them at most.
 *
 * <p><b>Locks.</b> {@code dmabuf.shadow}, a leaf, for who adds and removes; a look-up takes none.
 * <b>Threads.</b> Any.
 */
public final class ShadowIndex implements DmaObserver {
    /** How many mappings that have been taken back are kept. */
    public static final int KEPT = 16_384;

    private static final int FIRST_SLOTS = 64;

    private final NamedLock lock;
    private final Checkpoint looking;
    private final Checkpoint adding;
    private final Judgement judgement;
    private final int most;
    private final OtherMappings others;

    private volatile Spaces spaces = Spaces.NONE;
    private volatile @Nullable Entry[] entries = new Entry[FIRST_SLOTS];

    /** How many mappings were ever added. Changes under the lock. */
    private volatile long made;

    /** Taken back, oldest first. Guarded by lock, as all below. */
    private final ArrayDeque<Entry> kept = new ArrayDeque<>();

    private int slots;

    /** Nothing is in it. */
    public ShadowIndex(Execution execution, Violations violations, OtherMappings others) {
        this(execution, violations, KEPT, others);
    }

    ShadowIndex(Execution execution, Violations violations) {
        this(execution, violations, KEPT);
    }

    ShadowIndex(Execution execution, Violations violations, int most) {
        this(execution, violations, most, OtherMappings.NONE);
    }

    private ShadowIndex(
            Execution execution, Violations violations, int most, OtherMappings others) {
        this.most = most;
        this.others = others;
        lock = execution.lock("dmabuf.shadow");
        looking = execution.checkpoint("dmabuf.shadow.looking");
        adding = execution.checkpoint("dmabuf.shadow.adding");
        judgement = new Judgement(violations);
    }

    /**
     * Requests of a function through these addresses are the mapping's from now on.
     *
     * @param requester as in {@link DmaObserver}
     * @param attributes what its requests carry
     * @param runs first and last address of each run, in pairs
     * @param readOnly the device may only read
     * @return for {@link #remove}; null: there is no room, and it is not observed
     */
    public @Nullable Entry add(
            Watched mapping, int requester, int attributes, long[] runs, boolean readOnly) {
        long key = Spaces.key(requester, attributes);
        lock.lock();
        try {
            AddressTree tree = spaces.find(key);
            if (tree == null) {
                tree = new AddressTree();
            }
            Entry entry = enter(mapping, tree, runs, readOnly);
            if (entry == null) {
                return null;
            }
            for (int i = 0; i < runs.length; i += 2) {
                tree.add(entry, runs[i], runs[i + 1]);
                adding.reached();
            }
            if (spaces.find(key) == null) { // new, or emptied by what was forgotten for it
                spaces = spaces.with(key, tree);
            }
            return entry;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Entry enter(
            Watched mapping, AddressTree tree, long[] runs, boolean readOnly) {
        assert lock.isHeldByCurrentThread();
        int slot;
        int reuse;
        if (kept.size() > most) {
            Entry oldest = kept.removeFirst();
            forget(oldest);
            slot = oldest.slot;
            reuse = Token.nextReuse(oldest.reuse);
        } else if (slots < Token.MOST_SLOTS) {
            slot = slots++;
            reuse = 0;
        } else {
            return null;
        }
        @Nullable Entry[] all = entries;
        if (slot == all.length) {
            all = Arrays.copyOf(all, 2 * slot);
        }
        long number = made + 1;
        Entry entry = new Entry(slot, reuse, number, tree, runs, readOnly, mapping);
        all[slot] = entry;
        entries = all; // a look-up that finds the entry finds it here too
        made = number;
        return entry;
    }

    private void forget(Entry oldest) {
        AddressTree tree = oldest.tree;
        for (int i = 0; i < oldest.runs.length; i += 2) {
            tree.remove(oldest, oldest.runs[i], oldest.runs[i + 1]);
        }
        if (tree.isEmpty()) {
            spaces = spaces.withoutEmpty();
        }
    }

    /**
     * The mapping has been taken back; nothing of it is kept but its facts.
     *
     * @param entry of {@link #add}
     */
    public void remove(Entry entry, Facts facts) {
        lock.lock();
        try {
            entry.keep(facts);
            kept.addLast(entry);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long begins(int requester, int attributes, long address, long bytes, boolean write) {
        AddressTree tree = spaces.find(Spaces.key(requester, attributes));
        if (tree == null) {
            return NOTHING;
        }
        looking.reached();
        long number = made;
        Entry entry = tree.find(address, address + (bytes - 1), write);
        if (entry == null) {
            return NOTHING;
        }
        Watched live = entry.live();
        if (live == null && others.reaches(requester, attributes, address, write)) {
            return NOTHING;
        }
        boolean late = live != null && live.begins();
        return Token.of(entry, number, write, late);
    }

    @Override
    public void ended(long token, long address, long bytes, boolean arrived) {
        boolean write = Token.isWrite(token);
        Entry entry = entries[Token.slot(token)];
        if (entry == null || !Token.isOf(token, entry)) {
            judgement.ofForgotten(write, address, bytes);
            return;
        }
        MappingState state = entry.state();
        boolean wrongWay = write && entry.readOnly;
        if (!wrongWay
                && (state == MappingState.VALID
                        || state == MappingState.STALE_BUSY && !Token.isLate(token))) {
            return;
        }
        if (!isExcused(entry, token, address, bytes, write)) {
            judgement.of(entry, state, write, Token.isLate(token), address, bytes, arrived);
        }
    }

    /** {@return whether other mappings allowed what it did at the mapping's addresses} */
    private boolean isExcused(Entry entry, long token, long address, long bytes, boolean write) {
        long newest = Token.sequence(token, made);
        long last = address + (bytes - 1);
        for (int i = 0; i < entry.runs.length; i += 2) {
            long from = entry.runs[i];
            long to = entry.runs[i + 1];
            if (Long.compareUnsigned(from, last) <= 0 && Long.compareUnsigned(address, to) <= 0) {
                long first = Long.compareUnsigned(from, address) > 0 ? from : address;
                long end = Long.compareUnsigned(to, last) < 0 ? to : last;
                if (!entry.tree.isExcused(entry, first, end, write, newest)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** {@return how many accesses were wrong, those that were not reported again included} */
    public long found() {
        return judgement.found();
    }

    /** {@return how many mappings are kept that have been taken back} */
    int kept() {
        lock.lock();
        try {
            return kept.size();
        } finally {
            lock.unlock();
        }
    }
}
