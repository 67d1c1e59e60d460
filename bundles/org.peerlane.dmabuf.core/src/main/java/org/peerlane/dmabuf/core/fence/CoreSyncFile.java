package org.peerlane.dmabuf.core.fence;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.CountedFile;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.OpenFile;

/**
 * A file around one fence: see {@link SyncFile}. The fence is published by it.
 *
 * <p><b>Life.</b> Until the last put, which takes its callback off the fence and wakes nobody.
 *
 * <p><b>Locks.</b> A leaf lock around those who poll; nobody is woken with it held.
 *
 * <p><b>Threads.</b> Any. <b>Source.</b> FE-23, UA-1.
 */
public final class CoreSyncFile extends CountedFile implements SyncFile {
    /** The most bytes of a name, as in the kernel's 32 with their final 0. */
    static final int NAME_BYTES = 31;

    private final CoreFences fences;
    private final Fence fence;
    private final String given;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final List<PollWaiter> waiters = new ArrayList<>();

    /** Whether {@link #signaled} was put on the fence. Guarded by lock. */
    private boolean armed;

    /** Wakes all who poll. */
    private final FenceCallback signaled =
            new FenceCallback() {
                @Override
                public void signaled(Fence of) {
                    wakeAll();
                }
            };

    /**
     * A file with one reference, the caller's.
     *
     * @param fences whoever makes it
     * @param fence the file takes a reference of its own
     */
    public CoreSyncFile(CoreFences fences, Fence fence) {
        this(fences, fence.get(), "");
    }

    /** With the caller's reference on the fence. */
    private CoreSyncFile(CoreFences fences, Fence fence, String given) {
        super("sync file");
        this.fences = fences;
        this.fence = fence;
        this.given = given;
        lock = fences.environment.execution.lock("dmabuf.sync-file");
        FenceMerge.published(fence);
    }

    @Override
    public String fileType() {
        return "sync_file";
    }

    @Override
    protected void released() {
        fence.removeCallback(signaled);
        fence.put();
    }

    @Override
    public String name() {
        return given.isEmpty()
                ? "%s-%s%s-%d"
                        .formatted(
                                fence.driverName(),
                                fence.timelineName(),
                                Long.toUnsignedString(fence.context()),
                                fence.seqno())
                : given;
    }

    @Override
    public Fence fence() {
        return fence;
    }

    @Override
    public int status() {
        return fence.status();
    }

    @Override
    public List<FenceInfo> info() {
        List<FenceInfo> leaves = new ArrayList<>();
        fences.unwrap(
                fence,
                leaf ->
                        leaves.add(
                                new FenceInfo(
                                        leaf.timelineName(),
                                        leaf.driverName(),
                                        leaf.status(),
                                        leaf.timestamp())));
        return List.copyOf(leaves);
    }

    @Override
    public SyncFile merge(String name, @Nullable OpenFile other, int flags, int pad) {
        if (flags != 0 || pad != 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "flags %d, pad %d; expected 0".formatted(flags, pad));
        }
        if (!(other instanceof SyncFile file)) {
            throw new ErrnoException(
                    Errno.ENOENT,
                    "a merge with %s; expected a sync file"
                            .formatted(other == null ? "nothing" : other.fileType()));
        }
        return new CoreSyncFile(fences, fences.merge(List.of(fence, file.fence())), cut(name));
    }

    /** {@return as much of a name as the kernel keeps: whole characters here} */
    private static String cut(String name) {
        int bytes = 0;
        int end = 0;
        while (end < name.length()) {
            int point = name.codePointAt(end);
            if (point == 0) {
                break;
            }
            bytes += Character.toString(point).getBytes(StandardCharsets.UTF_8).length;
            if (bytes > NAME_BYTES) {
                break;
            }
            end += Character.charCount(point);
        }
        return name.substring(0, end);
    }

    @Override
    public void setDeadline(long nanoTime, long pad) {
        if (pad != 0) {
            throw new ErrnoException(Errno.EINVAL, "pad %d; expected 0".formatted(pad));
        }
        fence.setDeadline(nanoTime);
    }

    @Override
    public int poll(int events) {
        return fence.isSignaled() ? events & POLLIN : 0;
    }

    @Override
    public int poll(int events, PollWaiter waiter) {
        boolean arm;
        lock.lock();
        try {
            waiters.add(waiter);
            arm = !armed;
            armed = true;
        } finally {
            lock.unlock();
        }
        if (arm && !fence.addCallback(signaled)) {
            wakeAll();
        }
        return poll(events);
    }

    @Override
    public boolean cancelPoll(PollWaiter waiter) {
        lock.lock();
        try {
            return waiters.remove(waiter);
        } finally {
            lock.unlock();
        }
    }

    private void wakeAll() {
        List<PollWaiter> woken;
        lock.lock();
        try {
            woken = List.copyOf(waiters);
            waiters.clear();
        } finally {
            lock.unlock();
        }
        woken.forEach(PollWaiter::wake);
    }

    @Override
    public String toString() {
        return "sync file " + name();
    }
}
