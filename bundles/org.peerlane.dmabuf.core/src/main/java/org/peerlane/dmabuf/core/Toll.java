package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.kernel.api.Errno;

/**
 * What one departure has to do to others, and the count of it.
 *
 * <p><b>Threads.</b> Any; one decides about devices and fences, others take back.
 */
final class Toll {
    private final Services services;
    private final boolean gone;
    private final AtomicInteger mappings = new AtomicInteger();
    private final Set<String> quarantined = new LinkedHashSet<>();
    private int fences;

    /**
     * @param gone the device is not there any more: nothing of it needs to be stopped
     */
    Toll(Services services, boolean gone) {
        this.services = services;
        this.gone = gone;
    }

    /** {@return whether a buffer has an unsignaled fence of an owner's} */
    boolean isBusy(Buffer buffer, String owner) {
        return !unsignaled(buffer, Set.of(owner)).isEmpty();
    }

    /** Waits for one of them; signaled or not, it has been waited for until the deadline. */
    void awaitOne(Buffer buffer, String owner, long deadline) {
        for (Fence fence : unsignaled(buffer, Set.of(owner))) {
            Fence held = fence.getUnlessZero();
            if (held != null) {
                long left = deadline - services.execution.nanoTime();
                if (left > 0) {
                    held.waitTimeout(false, left);
                }
                held.put();
                return;
            }
        }
    }

    /** {@return fences of some owners that have not signaled; no reference to any of them} */
    private List<Fence> unsignaled(Buffer buffer, Set<String> owners) {
        List<Fence> found = new ArrayList<>();
        buffer.reservation()
                .forEachFence(
                        FenceUsage.BOOKKEEP,
                        (fence, _) -> {
                            if (services.primitives.isOfAny(fence, owners)) {
                                found.add(fence);
                            }
                        });
        return found;
    }

    /** Signals them with an error: what they stood for does not count any more. */
    void abandon(Buffer buffer, Set<String> owners) {
        for (Fence fence : unsignaled(buffer, owners)) {
            Fence held = fence.getUnlessZero();
            if (held != null) {
                fences += services.primitives.abandon(held, owners, Errno.ENODEV);
                held.put();
            }
        }
    }

    /** Nothing of an attachment's device is under way when this returns. */
    void cutOff(BufferAttachment attachment, String why) {
        if (gone) {
            return;
        }
        String device = attachment.device().name();
        String owner = attachment.owner().owner();
        boolean stopped = services.quarantine.isolate(attachment.device(), owner, why);
        if (stopped) {
            quarantined.add(device);
        }
        services.report(
                "RK-4",
                Severity.WRONG,
                owner,
                attachment,
                0,
                "%s of %s is %s: %s"
                        .formatted(
                                device,
                                owner,
                                stopped ? "in quarantine" : "no device that could be stopped",
                                why));
    }

    void tookBack(int count) {
        mappings.addAndGet(count);
    }

    void signaled(int count) {
        fences += count;
    }

    DepartureReport report(
            String who, long nanos, int buffers, int attachments, List<String> unfinished) {
        return new DepartureReport(
                who,
                nanos,
                buffers,
                attachments,
                mappings.get(),
                fences,
                List.copyOf(quarantined),
                List.copyOf(unfinished));
    }
}
