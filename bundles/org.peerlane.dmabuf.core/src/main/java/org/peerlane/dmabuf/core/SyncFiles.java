package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.OpenFile;

/** Fences of a buffer to and from processes (DB-62, DB-63). <b>Threads.</b> Any. */
final class SyncFiles {
    private static final int MASK = DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE;

    private final Buffer buffer;
    private final Services services;

    SyncFiles(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
    }

    SyncFile exportSyncFile(int flags) {
        checkFlags(flags);
        FenceUsage others = FenceUsage.waitedForBy((flags & DmaBuf.SYNC_WRITE) != 0);
        Fence fence = buffer.reservation().getSingleton(others);
        if (fence == null) {
            fence = buffer.owner().fences().stub();
        }
        try {
            SyncFile file = services.primitives.syncFile(fence);
            trace(false, flags, 1);
            return file;
        } finally {
            fence.put();
        }
    }

    void importSyncFile(int flags, @Nullable OpenFile file) {
        checkFlags(flags);
        if (!(file instanceof SyncFile sync)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "import of %s into %s; expected a sync file"
                            .formatted(file == null ? "nothing" : "a " + file.fileType(), buffer));
        }
        services.refuseHeld("CK-17", buffer, buffer.owner().owner(), "importSyncFile");
        FenceUsage usage = (flags & DmaBuf.SYNC_WRITE) != 0 ? FenceUsage.WRITE : FenceUsage.READ;
        List<Fence> leaves = new ArrayList<>();
        Fences fences = buffer.owner().fences();
        fences.unwrap(
                sync.fence(),
                leaf -> {
                    if (!leaf.isSignaled()) {
                        leaves.add(leaf.get());
                    }
                });
        try {
            if (!leaves.isEmpty()) {
                add(leaves, usage);
            }
        } finally {
            leaves.forEach(Fence::put);
        }
        trace(true, flags, leaves.size());
    }

    private void add(List<Fence> leaves, FenceUsage usage) {
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            reservation.reserveFences(leaves.size());
            for (Fence leaf : leaves) {
                reservation.addFence(leaf, usage);
            }
        } finally {
            reservation.unlock();
        }
    }

    private static void checkFlags(int flags) {
        if ((flags & ~MASK) != 0 || (flags & MASK) == 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "sync file flags %#x; expected 1 for reading, 2 for writing, or 3"
                            .formatted(flags));
        }
    }

    private void trace(boolean imported, int flags, int fences) {
        if (services.trace.syncFile.isOn()) {
            services.trace.syncFile.emit(
                    new DmaBufEvents.SyncFileMoved(buffer.id(), imported, flags, fences));
        }
    }
}
