package org.peerlane.bus.pcie;

import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.AtsDevice;
import org.peerlane.bus.api.AtsPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PageRequest;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Timer;

/**
 * One function's translation requests, invalidations and page requests on their way between its TLB
 * and the IOMMU (IM-12 to IM-15).
 *
 * <p><b>Locks.</b> One leaf, by invalidations and page requests; translation requests take none.
 * What a response leaves in config space is written after it has been let go.
 */
final class AtsFunction implements AtsPort {
    private static final Logger LOG = LogManager.getLogger(AtsFunction.class);
    private static final int TAGS = 32;
    private static final int GROUPS = 512;

    /**
     * What software has programmed.
     *
     * @param ats translation requests may be sent
     * @param pri page requests may be sent
     * @param outstanding how many page requests at a time
     */
    record Programmed(boolean ats, boolean pri, int outstanding) {
        static final Programmed OFF = new Programmed(false, false, 0);
    }

    private final FunctionDmaPort port;
    private final Fabric fabric;
    private final NamedLock lock;
    private final Condition changed;

    private volatile Programmed programmed = Programmed.OFF;

    /** Who is told; null: the device has no TLB. Set before the first request. */
    private volatile @Nullable AtsDevice device;

    /** Whose config space says what became of page requests; set before the first request. */
    private volatile @Nullable Endpoint function;

    /** One bit per tag that waits for its completion. Guarded by lock, as all below. */
    private int waiting;

    private int expired;
    private int nextTag;

    /** ATS has gone off, and the device has not been told. */
    private boolean wentOff;

    /** Page requests per group that have not been answered. */
    private final short[] requests = new short[GROUPS];

    private int outstanding;
    private boolean stopped;

    AtsFunction(FunctionDmaPort port, Fabric fabric) {
        this.port = port;
        this.fabric = fabric;
        lock = fabric.execution.lock("bus.ats");
        changed = lock.newCondition("invalidated");
    }

    void device(@Nullable AtsDevice told) {
        device = told;
    }

    void function(Endpoint whose) {
        function = whose;
    }

    /** Takes over what config space says now. */
    void program(Programmed now) {
        if (now.equals(programmed)) {
            return;
        }
        boolean was = programmed.ats();
        programmed = now;
        lock.lock();
        try {
            if (!now.pri()) {
                stopped = false;
            }
            if (!now.ats()) {
                wentOff |= was;
                completeAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Tells the device that ATS was switched off. Without the function's lock. */
    void tell() {
        AtsDevice who = device;
        lock.lock();
        try {
            if (!wentOff || who == null) {
                return;
            }
            wentOff = false;
        } finally {
            lock.unlock();
        }
        try {
            who.disabled();
        } catch (RuntimeException | Error e) {
            LOG.error("{}: the device threw when ATS went off", port.address(), e);
        }
    }

    /** {@return whether a page request has no answer yet} */
    boolean awaitsPages() {
        lock.lock();
        try {
            return outstanding > 0;
        } finally {
            lock.unlock();
        }
    }

    /** Software has reset the page request interface: nothing is awaited. */
    void forgetPages() {
        lock.lock();
        try {
            forgetAll();
        } finally {
            lock.unlock();
        }
    }

    private void forgetAll() {
        assert lock.isHeldByCurrentThread();
        Arrays.fill(requests, (short) 0);
        outstanding = 0;
    }

    /** A reset, or the function has left: nobody waits for it any more. */
    void reset() {
        lock.lock();
        try {
            completeAll();
            forgetAll();
            stopped = false;
        } finally {
            lock.unlock();
        }
    }

    private void completeAll() {
        assert lock.isHeldByCurrentThread();
        waiting = 0;
        changed.signalAll();
    }

    boolean isEnabled() {
        return programmed.ats();
    }

    @Override
    public int translate(long address, int attributes, boolean write, DmaTranslation.Target into) {
        into.bytes = 0;
        into.permissions = 0;
        DmaTranslation iommu = fabric.translation();
        int refusal = port.refusal();
        if (refusal != DmaResult.OK) {
            return refusal;
        }
        if (!programmed.ats() || iommu == null) {
            return DmaResult.UNSUPPORTED_REQUEST;
        }
        int asked = PageRequest.READ | (write ? PageRequest.WRITE : 0);
        return port.translationRequest(iommu, attributes, address, asked, into);
    }

    @Override
    public void invalidated(int tag) {
        lock.lock();
        try {
            waiting &= ~(1 << tag);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends an invalidation and waits for its completion.
     *
     * @return false: it did not come in time
     */
    boolean invalidate(int pasid, long iova, long bytes, long timeoutNanos) {
        AtsDevice told = device;
        int tag;
        lock.lock();
        try {
            if (!programmed.ats() || told == null) {
                return true;
            }
            while (waiting == -1) {
                changed.awaitUninterruptibly();
            }
            tag = nextTag;
            while ((waiting >>> tag & 1) != 0) {
                tag = (tag + 1) % TAGS;
            }
            nextTag = (tag + 1) % TAGS;
            waiting |= 1 << tag;
            expired &= ~(1 << tag);
        } finally {
            lock.unlock();
        }
        try {
            told.invalidate(tag, pasid, iova, bytes);
        } catch (RuntimeException | Error e) {
            LOG.error("{}: the device threw at an invalidation", port.address(), e);
        }
        return await(tag, timeoutNanos);
    }

    private boolean await(int tag, long timeoutNanos) {
        int bit = 1 << tag;
        Timer limit =
                fabric.execution.schedule(
                        "bus.ats.invalidation-limit", timeoutNanos, () -> expire(bit));
        lock.lock();
        try {
            while ((waiting & bit) != 0 && (expired & bit) == 0) {
                changed.awaitUninterruptibly();
            }
            boolean came = (waiting & bit) == 0;
            waiting &= ~bit;
            return came;
        } finally {
            lock.unlock();
            limit.cancel();
        }
    }

    private void expire(int bit) {
        lock.lock();
        try {
            expired |= bit;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int requestPage(long address, int attributes, int flags, int group) {
        int refusal = port.refusal();
        if (refusal != DmaResult.OK) {
            return refusal;
        }
        DmaTranslation iommu = fabric.translation();
        lock.lock();
        try {
            if (!programmed.pri()
                    || stopped
                    || iommu == null
                    || outstanding >= programmed.outstanding()
                    || group < 0
                    || group >= GROUPS) {
                return DmaResult.UNSUPPORTED_REQUEST;
            }
            outstanding++;
            requests[group]++;
        } finally {
            lock.unlock();
        }
        port.pageRequest(iommu, attributes, address, flags, group);
        return DmaResult.OK;
    }

    /** The response to a group has come (PT-62). After a failure none is expected any more. */
    void respond(int group, int code) {
        AtsDevice told = device;
        boolean failed = code == PageRequest.FAILURE;
        boolean expected;
        lock.lock();
        try {
            if (stopped) {
                return;
            }
            expected = group >= 0 && group < GROUPS && requests[group] != 0;
            if (expected) {
                outstanding -= requests[group];
                requests[group] = 0;
            }
            if (failed) {
                stopped = true;
                forgetAll();
            }
        } finally {
            lock.unlock();
        }
        Endpoint whose = function;
        if (whose != null) {
            whose.config().pagesAnswered(failed, !expected);
        }
        if (told != null && expected) {
            try {
                told.pageResponse(group, code);
            } catch (RuntimeException | Error e) {
                LOG.error("{}: the device threw at a page response", port.address(), e);
            }
        }
    }

    /** {@return whether a response made the function stop asking for pages} */
    boolean isStopped() {
        lock.lock();
        try {
            return stopped;
        } finally {
            lock.unlock();
        }
    }
}
