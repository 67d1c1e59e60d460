package org.peerlane.exporter.gpu;

import java.util.List;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** What the engine works on: a buffer of the card's own, or one that was taken in. */
abstract sealed class CardBuffer implements GpuBuffer permits OwnBuffer, ImportedBuffer {
    final Card card;
    private final long handle;
    private final long bytes;

    CardBuffer(Card card, long handle, long bytes) {
        this.card = card;
        this.handle = handle;
        this.bytes = bytes;
    }

    /**
     * [held] {@return where the engine finds it now}
     *
     * @throws ErrnoException it cannot be made to
     */
    abstract List<Run> runs();

    /** [held] Work on it has been queued; there is a slot. */
    void used(Fence fence, boolean write) {
        reservation().addFence(fence, write ? FenceUsage.WRITE : FenceUsage.READ);
    }

    /** The card leaves. */
    abstract void leave();

    /**
     * Refuses what the handle's holder must not do any more.
     *
     * @throws ErrnoException {@code ENODEV} the card leaves; {@code EBADF} it is closed
     */
    void requireOpen() {
        card.requireHere();
        if (isClosed()) {
            throw new ErrnoException(Errno.EBADF, this + " is closed");
        }
    }

    abstract boolean isClosed();

    /** [card's lock] A handle counts from now on. */
    abstract void opened();

    /** [card's lock] A handle counts no more. {@return whether there was one} */
    abstract boolean closed();

    @Override
    public final long handle() {
        return handle;
    }

    @Override
    public final Card gpu() {
        return card;
    }

    @Override
    public final long size() {
        return bytes;
    }

    @Override
    public Fence copyTo(long from, GpuBuffer target, long at, long length) {
        requireOpen();
        if (!(target instanceof CardBuffer other) || other.card != card) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s is no buffer of %s; import it first".formatted(target, card.name()));
        }
        other.requireOpen();
        return card.work().copy(this, from, other, at, length);
    }

    @Override
    public Fence fill(long from, long length, int pattern) {
        requireOpen();
        return card.work().fill(this, from, length, pattern);
    }

    /**
     * Checks a part of it.
     *
     * @throws ErrnoException {@code EINVAL}
     */
    void requireInside(long from, long length) {
        if (from < 0 || length <= 0 || from > bytes - length) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "0x%x bytes at 0x%x of %s, which has 0x%x"
                            .formatted(length, from, this, bytes));
        }
    }

    @Override
    public final String toString() {
        return "%s.%d".formatted(card.name(), handle);
    }
}
