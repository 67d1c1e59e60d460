package org.peerlane.dmabuf.core;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.dmabuf.core.fence.CoreFences;
import org.peerlane.dmabuf.core.fence.CoreSyncFile;
import org.peerlane.dmabuf.core.fence.FenceEnvironment;
import org.peerlane.dmabuf.core.resv.CoreReservation;
import org.peerlane.dmabuf.core.resv.Moves;
import org.peerlane.dmabuf.core.resv.ReservationClass;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.Profile;
import org.peerlane.trace.api.Tracer;

/** The reservations and fences of this bundle. <b>Threads.</b> Any. */
final class CorePrimitives implements Primitives {
    private static final String OWN = "org.peerlane.dmabuf.core";

    private final Execution execution;
    private final FenceEnvironment environment;
    private final ReservationClass reservations;

    /** Makes what has no owner: arrays, sync files. */
    private final CoreFences core;

    CorePrimitives(Execution execution, Tracer tracer, Checks checks, Profile profile) {
        this.execution = execution;
        environment = new FenceEnvironment(execution, tracer, checks, profile);
        core = new CoreFences(environment, OWN);
        reservations = new ReservationClass(execution, tracer, checks, core);
    }

    @Override
    public Reservation reservation(String name, String owner, long buffer) {
        return reservations.newReservation(name, owner, buffer);
    }

    @Override
    public void destroy(Reservation reservation) {
        ((CoreReservation) reservation).close();
    }

    @Override
    public AcquireContext acquire(String owner) {
        return reservations.acquire(owner);
    }

    @Override
    public Fences fences(String owner) {
        return new CoreFences(environment, owner);
    }

    @Override
    public SyncFile syncFile(Fence fence) {
        return new CoreSyncFile(core, fence);
    }

    @Override
    public String ownerOf(Fence fence) {
        return ((CoreFence) fence).ownerName();
    }

    @Override
    public boolean isOfAny(Fence fence, Set<String> owners) {
        boolean[] found = new boolean[1];
        core.unwrap(
                fence, one -> found[0] |= one.timestamp() == 0 && owners.contains(ownerOf(one)));
        return found[0];
    }

    @Override
    public int abandon(Fence fence, Set<String> owners, Errno why) {
        int[] count = new int[1];
        core.unwrap(
                fence,
                one -> {
                    if (one.timestamp() == 0
                            && owners.contains(ownerOf(one))
                            && ((CoreFence) one).abandon(why)) {
                        count[0]++;
                    }
                });
        return count[0];
    }

    @Override
    public int forgetCallbacks(Predicate<FenceCallback> which) {
        return environment.forgetCallbacks(which);
    }

    @Override
    public int depart(Fences owner, Errno why) {
        return ((CoreFences) owner).depart(why);
    }

    @Override
    public boolean awaitDeparted(Fences owner, long nanos) throws InterruptedException {
        return ((CoreFences) owner).awaitDeparted(nanos);
    }

    @Override
    public void close() {
        environment.close();
    }

    @Override
    public long ageOf(Fence fence) {
        CoreFence own = (CoreFence) fence;
        return own.isPublished() ? execution.nanoTime() - own.publishedAt() : 0;
    }

    @Override
    public void watchMoves(Reservation reservation, Moves watcher, boolean on) {
        CoreReservation own = (CoreReservation) reservation;
        if (on) {
            own.watch(watcher);
        } else {
            own.unwatch(watcher);
        }
    }

    @Override
    public @Nullable Thread holderOf(Reservation reservation) {
        return ((CoreReservation) reservation).holder();
    }

    @Override
    public List<String> waitersOf(Reservation reservation) {
        return ((CoreReservation) reservation).waiterNames();
    }
}
