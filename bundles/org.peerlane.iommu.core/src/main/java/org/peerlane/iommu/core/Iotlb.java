package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.core.table.PageTable;

/**
 * Translations that one requester has used: a bank for each of the first {@value #BANKS} threads
 * that do its DMA. A thread finds what another has kept, and keeps what it has walked itself; the
 * bank of a thread that has ended goes to the next that comes. Whoever comes when there is none
 * left walks each time.
 *
 * <p><b>Threads.</b> Any. <b>Cost.</b> As {@link IotlbBank}; no lock.
 */
final class Iotlb {
    /** One more than the largest domain tag. */
    static final int TAGS = 1 << 22;

    /** How many threads have a bank. */
    static final int BANKS = 4;

    private static final AtomicReferenceFieldUpdater<Iotlb, IotlbBank[]> ALL =
            AtomicReferenceFieldUpdater.newUpdater(Iotlb.class, IotlbBank[].class, "banks");

    private final DmaTranslation.Generation generation = new DmaTranslation.Generation();

    /** Whether banks go from hand to hand: when a simulated thread ends is not reproducible. */
    private final boolean inherited;

    private volatile IotlbBank[] banks = {};

    Iotlb(Execution execution) {
        inherited = !execution.isSimulated();
    }

    /** {@return its number is read before a look-up or a walk by whoever keeps the answer} */
    DmaTranslation.Generation generation() {
        return generation;
    }

    /** {@return the bank of the calling thread, or null: there is none left} */
    @SuppressWarnings("ReferenceEquality") // the very thread
    @Nullable IotlbBank bank() {
        Thread me = Thread.currentThread();
        IotlbBank[] all = banks;
        for (int i = 0; i < all.length; i++) {
            if (all[i].owner() == me) {
                return all[i];
            }
        }
        return all.length == BANKS && !inherited ? null : newBank(me);
    }

    private @Nullable IotlbBank newBank(Thread me) {
        while (true) {
            IotlbBank[] all = banks;
            for (IotlbBank bank : all) {
                Thread owner = bank.owner();
                if (inherited && !owner.isAlive() && bank.inherit(owner, me)) {
                    return bank;
                }
            }
            if (all.length == BANKS) {
                return null;
            }
            IotlbBank mine = new IotlbBank(me);
            IotlbBank[] more = Arrays.copyOf(all, all.length + 1);
            more[all.length] = mine;
            if (ALL.compareAndSet(this, all, more)) {
                return mine;
            }
        }
    }

    /** {@return whether nobody but one thread has kept anything} */
    boolean isSingle() {
        return banks.length == 1;
    }

    /**
     * Looks an address up, beyond the 4 KiB pages of one's own bank.
     *
     * @param mine the bank of the calling thread, or null
     * @param need {@link PageTable#READ} or {@link PageTable#WRITE}
     * @return the value of the entry, see {@link org.peerlane.iommu.core.table.Walk}; or 0: a miss
     */
    @SuppressWarnings("ReferenceEquality") // the very bank
    long findLargeOrElsewhere(@Nullable IotlbBank mine, int tag, long iova, int need) {
        long value = mine == null ? 0 : mine.findLarge(tag, iova, need);
        IotlbBank[] all = banks;
        for (int i = 0; i < all.length && value == 0; i++) {
            value = all[i] == mine ? 0 : all[i].peek(tag, iova, need);
        }
        return value;
    }

    /** {@return a number that rises with everything that is kept} */
    long version() {
        long sum = 0;
        for (IotlbBank bank : banks) {
            sum += bank.version();
        }
        return sum;
    }

    /** Forgets what a domain maps from {@code first} to {@code last}, and ends kept answers. */
    void invalidate(int tag, long first, long last) {
        for (IotlbBank bank : banks) {
            bank.invalidate(tag, first, last);
        }
        generation.advance();
    }

    /** Forgets everything. */
    void invalidateAll() {
        for (IotlbBank bank : banks) {
            bank.clear();
        }
        generation.advance();
    }

    /** {@return what is kept, by domain and IOVA; for reports} */
    List<IotlbEntry> entries() {
        Set<IotlbEntry> found = new LinkedHashSet<>();
        for (IotlbBank bank : banks) {
            bank.addTo(found);
        }
        List<IotlbEntry> sorted = new ArrayList<>(found);
        sorted.sort(
                Comparator.comparingInt(IotlbEntry::domain)
                        .thenComparingLong(e -> e.iova().value()));
        return sorted;
    }
}
