package org.peerlane.dmabuf.core;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.trace.api.Tracer;

/** TODO. */
final class CorePrimitives implements Primitives {
    CorePrimitives(Execution execution, Tracer tracer, Checks checks, Profile profile) {}

    @Override
    public Reservation reservation(String name, String owner, long buffer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void destroy(Reservation reservation) {}

    @Override
    public AcquireContext acquire(String owner) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Fences fences(String owner) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SyncFile syncFile(Fence fence) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String ownerOf(Fence fence) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long ageOf(Fence fence) {
        return 0;
    }

    @Override
    public @Nullable String holderOf(Reservation reservation) {
        return null;
    }

    @Override
    public List<String> waitersOf(Reservation reservation) {
        return List.of();
    }
}
