package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.kernel.api.Errno;

/**
 * The one protocol by which a bundle leaves, whichever sides it was on, or a device.
 *
 * <ol>
 *   <li>Nothing new is allowed, and everybody concerned is told: by the crew, since callbacks may
 *       never return.
 *   <li>Until the time limit it is waited for fences to signal and mappings to be given back.
 *   <li>Devices of those who are late are stopped: blocked domain, bus master off, drained. Their
 *       fences signal with an error.
 *   <li>What they have is taken back for them, again by the crew. An exporter frees its storage.
 *   <li>{@link #silence}: the bundle's fences signal with an error, its code is not called any
 *       more.
 * </ol>
 *
 * What is stuck in somebody's code is not waited for past the limit; it is named, and goes on when
 * that returns. The storage of such a buffer is kept until then.
 *
 * <p><b>Threads.</b> One.
 */
final class Departure {
    private final Services services;
    private final String who;
    private final long limitNanos;
    private final Crew crew;
    private final Toll toll;
    private final long begun;
    private final List<BufferDeparture> buffers = new ArrayList<>();
    private final List<AttachmentDeparture> attachments = new ArrayList<>();
    private final List<Buffer> held = new ArrayList<>();
    private final List<String> unfinished = new ArrayList<>();

    /**
     * @param who the bundle, or the device
     * @param gone it is a device, and not there any more
     */
    Departure(Services services, String who, long limitNanos, boolean gone) {
        this.services = services;
        this.who = who;
        this.limitNanos = limitNanos;
        crew = new Crew(services.execution, "dmabuf.departure." + who, limitNanos / 8 + 1);
        toll = new Toll(services, gone);
        begun = services.execution.nanoTime();
    }

    /** It exports this. */
    void add(Buffer buffer) {
        if (hold(buffer)) {
            buffers.add(new BufferDeparture(buffer, toll));
        }
    }

    /** It has this. */
    void add(BufferAttachment attachment) {
        attachment.leaving("%s leaves".formatted(who));
        if (hold(attachment.buffer())) {
            attachments.add(new AttachmentDeparture(attachment, toll));
        }
    }

    private boolean hold(Buffer buffer) {
        if (!buffer.getUnlessZero()) {
            return false; // it ends just now
        }
        held.add(buffer);
        return true;
    }

    /** Steps 1 to 4. */
    void run() {
        long deadline = begun + limitNanos;
        List<Crew.Task> tell = new ArrayList<>();
        attachments.forEach(one -> tell.add(new Crew.Task("telling " + one, one::tell)));
        buffers.forEach(one -> tell.add(new Crew.Task("telling the users of " + one, one::tell)));
        crew.run(tell, deadline);
        for (AttachmentDeparture one : attachments) {
            if (!one.awaitIdle(deadline)) {
                one.cutOff();
            }
        }
        for (BufferDeparture one : buffers) {
            if (!one.awaitIdle(deadline)) {
                one.cutOff();
            }
        }
        List<Crew.Task> finish = new ArrayList<>();
        attachments.forEach(one -> finish.add(new Crew.Task("taking back " + one, one::finish)));
        buffers.forEach(one -> finish.add(new Crew.Task("ending " + one, one::finish)));
        finish.add(new Crew.Task("letting go", () -> held.forEach(Buffer::putLater)));
        for (Crew.Task late : crew.run(finish, services.execution.nanoTime() + limitNanos)) {
            unfinished.add(late.what);
        }
    }

    /** Step 5: nobody is inside of the bundle's code, and nobody enters any more. */
    void silence(OwnerDmaBufs owner) {
        toll.signaled(services.primitives.depart(owner.fences(), Errno.ENODEV));
        if (!unfinished.isEmpty()) {
            buffers.forEach(BufferDeparture::abandoned);
        }
        owner.callee().gate().close();
        boolean out = false;
        try {
            out =
                    owner.callee().gate().awaitEmpty(limitNanos / 4)
                            && services.primitives.awaitDeparted(owner.fences(), limitNanos / 4);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!out) {
            unfinished.add("a thread is inside of the code of " + who);
        }
    }

    DepartureReport report() {
        if (!unfinished.isEmpty()) {
            services.checks
                    .violations()
                    .report(
                            "CK-10",
                            Severity.WRONG,
                            who,
                            0,
                            0,
                            0,
                            "%s has left, and this could not be ended within %d ms: %s"
                                    .formatted(who, limitNanos / 1_000_000, unfinished));
        }
        return toll.report(
                who,
                services.execution.nanoTime() - begun,
                buffers.size(),
                attachments.size(),
                unfinished);
    }
}
