package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.PageRequest;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.RootComplex;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.iommu.api.PageRequestGroup;
import org.peerlane.iommu.api.PageRequestHandler;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The page request queue, and the thread that makes groups of it and has them answered (PT-61,
 * PT-62). A full queue drops requests; the device is told {@code SUCCESS} for the group, and asks
 * again (VT-d 7.4.1). Kernel counterpart: drivers/iommu/io-pgfault.c.
 *
 * <pre>
 *  first   | page of the address 63:12 | flags 2:0 |
 *  second  | group 61:53 | PASID + 1 52:32 | requester 31:0 |
 * </pre>
 *
 * <p><b>Threads.</b> {@link #add}: any; it only queues. <b>Locks.</b> One, never held while a
 * handler or the root complex is called.
 */
final class PageRequests {
    private static final Logger LOG = LogManager.getLogger(PageRequests.class);
    private static final int SLOTS = 256;
    private static final int LOST = 1 << 3; // a flag of ours: the rest of the group is missing
    private static final long GROUP_MASK = 0x1FF;
    private static final long PASID_MASK = 0x1F_FFFF;

    /** A group is open from its first request until it is answered; at most so many at once. */
    private static final int OPEN_GROUPS = 4096;

    private final ContextTable contexts;
    private final RootComplex root;
    private final IommuTrace trace;
    private final PairRing ring = new PairRing(SLOTS);
    private final Doorbell doorbell;
    private final Checkpoint handling;
    private final NamedLock lock;
    private final Condition idle;

    /** By what {@link #add} packs into the second long. Guarded by lock. */
    private final Map<Long, Group> open = new HashMap<>();

    /** The requester whose group is with its handler, or -1. Guarded by lock. */
    private long busy = -1;

    private final EmulatedThread thread;
    private @Nullable Thread self;

    PageRequests(Execution execution, ContextTable contexts, RootComplex root, IommuTrace trace) {
        this.contexts = contexts;
        this.root = root;
        this.trace = trace;
        doorbell = new Doorbell(execution, "iommu.page-requests");
        handling = execution.checkpoint("iommu.page-requests.handling");
        lock = execution.lock("iommu.page-groups");
        idle = lock.newCondition("handler-done");
        thread = execution.start(ThreadKind.BLOCKING, "iommu.page-requests", this::run);
    }

    /** As {@link org.peerlane.bus.api.DmaTranslation#pageRequest}. */
    void add(int requester, int attributes, long address, int flags, int group) {
        long second =
                (group & GROUP_MASK) << 53
                        | (long) (DmaAttributes.pasid(attributes) + 1) << 32
                        | requester & 0xFFFF_FFFFL;
        if (!ring.offer(address & -4096L | flags & 7, second)) {
            if (trace.pageRequestLost.isOn()) {
                trace.pageRequestLost.emit(
                        new IommuEvents.PageRequestLost(IommuTrace.address(requester), address));
            }
            lost(second, (flags & PageRequest.LAST) != 0);
        }
        doorbell.ring();
    }

    /** The queue is full: the group will be answered with what is lost of it in mind. */
    private void lost(long key, boolean last) {
        lock.lock();
        try {
            Group group = open.get(key);
            if (group == null && open.size() < OPEN_GROUPS) {
                group = new Group(key);
                open.put(key, group);
            }
            if (group != null) {
                group.flags |= LOST | (last ? PageRequest.LAST : 0);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        self = Thread.currentThread();
        try {
            while (true) {
                doorbell.await();
                handling.reached();
                drainQueue();
                answerLost();
            }
        } catch (InterruptedException e) {
            LOG.debug("page request handler ends");
        }
    }

    private void drainQueue() {
        while (ring.isReady()) {
            long first = ring.first();
            long second = ring.second();
            ring.advance();
            Group complete = collect(first, second);
            if (complete != null) {
                handle(complete);
            }
        }
    }

    private @Nullable Group collect(long first, long key) {
        lock.lock();
        try {
            Group group = open.get(key);
            if (group == null || group.flags == PageRequest.LAST) {
                group = new Group(key);
                open.put(key, group);
            }
            int flags = (int) first & 7;
            group.add(first & -4096L, flags);
            if ((flags & PageRequest.LAST) == 0) {
                return null;
            }
            group.flags |= PageRequest.LAST;
            busy = key & 0xFFFF_FFFFL;
            return group;
        } finally {
            lock.unlock();
        }
    }

    private void answerLost() {
        List<Group> answered = new ArrayList<>();
        lock.lock();
        try {
            for (Group group : open.values()) {
                if (group.flags == (LOST | PageRequest.LAST)) {
                    answered.add(group);
                }
            }
        } finally {
            lock.unlock();
        }
        answered.forEach(group -> group.respond(PageRequest.SUCCESS));
    }

    private void handle(Group group) {
        try {
            Context context = contexts.find(group.requesterId());
            PageRequestHandler handler = context == null ? null : handler(context, group);
            if ((group.flags & LOST) != 0) {
                group.respond(PageRequest.SUCCESS);
            } else if (handler == null) {
                group.respond(PageRequest.INVALID);
            } else {
                handler.handle(group);
            }
        } catch (RuntimeException e) {
            LOG.error("page request group {} was not handled", group, e);
            group.respond(PageRequest.FAILURE);
        } finally {
            lock.lock();
            try {
                busy = -1;
                idle.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private static @Nullable PageRequestHandler handler(Context context, Group group) {
        if (!context.pri) {
            return null;
        }
        Domain domain = group.pasid() < 0 ? context.untagged : context.tagged(group.pasid());
        return domain == null ? null : domain.pageRequestHandler();
    }

    /**
     * Answers what a function has open with {@code INVALID}, and waits until no handler of the
     * domain before runs for it (PT-64). A handler may call it for its own function.
     */
    @SuppressWarnings("ReferenceEquality") // threads are what they are
    void discard(Requester requester, int pasid) {
        List<Group> dropped = new ArrayList<>();
        lock.lock();
        try {
            for (Iterator<Group> all = open.values().iterator(); all.hasNext(); ) {
                Group group = all.next();
                if (group.requesterId() == requester.id && group.pasid() == pasid) {
                    dropped.add(group);
                }
            }
        } finally {
            lock.unlock();
        }
        dropped.forEach(group -> group.respond(PageRequest.INVALID));
        if (Thread.currentThread() == self) {
            return;
        }
        lock.lock();
        try {
            while (busy == (requester.id & 0xFFFF_FFFFL)) {
                idle.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many groups wait for more requests, or for their answer} */
    int openGroups() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }

    void close() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }

    /** A group; open until it is answered. */
    private final class Group implements PageRequestGroup {
        private final long key;
        private final List<Page> pages = new ArrayList<>(); // guarded by lock until complete
        private int flags; // guarded by lock until complete
        private boolean answered; // guarded by lock

        Group(long key) {
            this.key = key;
        }

        void add(long iova, int requestFlags) {
            pages.add(
                    new Page(
                            iova,
                            (requestFlags & PageRequest.READ) != 0,
                            (requestFlags & PageRequest.WRITE) != 0));
        }

        int requesterId() {
            return (int) key;
        }

        @Override
        public PcieAddress requester() {
            return IommuTrace.address(requesterId());
        }

        @Override
        public int pasid() {
            return (int) (key >>> 32 & PASID_MASK) - 1;
        }

        @Override
        public int index() {
            return (int) (key >>> 53 & GROUP_MASK);
        }

        @Override
        public List<Page> pages() {
            return List.copyOf(pages);
        }

        @Override
        public boolean respond(int code) {
            if (code != PageRequest.SUCCESS
                    && code != PageRequest.INVALID
                    && code != PageRequest.FAILURE) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "page response " + code + "; expected 0 success, 1 invalid, 15 failure");
            }
            lock.lock();
            try {
                if (answered) {
                    return false;
                }
                answered = true;
                open.remove(key, this);
            } finally {
                lock.unlock();
            }
            if (trace.pageResponse.isOn()) {
                trace.pageResponse.emit(
                        new IommuEvents.PageResponse(requester(), pasid(), index(), code));
            }
            root.respond(requesterId(), pasid(), index(), code);
            return true;
        }

        @Override
        public String toString() {
            return "%d of %s, PASID %d".formatted(index(), requester(), pasid());
        }
    }
}
