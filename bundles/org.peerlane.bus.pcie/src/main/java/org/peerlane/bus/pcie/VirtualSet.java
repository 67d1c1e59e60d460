package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.VirtualFunctions;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The virtual functions of one physical one, as silicon: there as soon as VF enable is written, and
 * gone, with nothing of them under way, when the write that clears it returns (PC-34 to PC-36).
 * What software does with them follows on the life-cycle thread.
 *
 * <p><b>Locks.</b> {@code bus.virtual} makes and ends them, before {@code bus.reset} of each. The
 * model is asked for a function with it.
 */
final class VirtualSet {
    private static final Logger LOG = LogManager.getLogger(VirtualSet.class);

    private final Endpoint physical;
    private final Fabric fabric;
    private final VirtualFunctions maker;
    private final CapabilityLayout.SrIov layout;
    private final SlotView view;
    private final NamedLock lock;

    /** Never changed once published. */
    private volatile List<Endpoint> present = List.of();

    /** Guarded by lock, as all below. */
    private VirtualState seen = VirtualState.NONE;

    /** Not offered to a driver yet. */
    private final List<Endpoint> fresh = new ArrayList<>();

    /** Not taken from their drivers and closed yet. */
    private final List<Endpoint> departed = new ArrayList<>();

    /**
     * @param view what the physical function was given
     */
    VirtualSet(
            Endpoint physical,
            Fabric fabric,
            VirtualFunctions maker,
            CapabilityLayout.SrIov layout,
            SlotView view) {
        this.physical = physical;
        this.fabric = fabric;
        this.maker = maker;
        this.layout = layout;
        this.view = view;
        lock = fabric.execution.lock("bus.virtual");
    }

    /** {@return those that are there now} */
    List<Endpoint> present() {
        return present;
    }

    /** {@return those that software has not met, once} */
    List<Endpoint> takeFresh() {
        return take(fresh);
    }

    /** {@return those that have left and that software still holds, once} */
    List<Endpoint> takeDeparted() {
        return take(departed);
    }

    private List<Endpoint> take(List<Endpoint> from) {
        lock.lock();
        try {
            List<Endpoint> taken = List.copyOf(from);
            from.clear();
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Makes true what config space of the physical function says. Without its lock. */
    void follow() {
        boolean changed;
        lock.lock();
        try {
            VirtualState now = physical.virtualState();
            changed = now.life != seen.life || now.count != seen.count;
            if (changed) {
                depart();
                if (now.count > 0) {
                    make(now.count);
                }
            } else if (!now.sameAs(seen)) {
                present.forEach(Endpoint::followPhysical);
            }
            seen = now;
        } finally {
            lock.unlock();
        }
        if (changed) {
            fabric.virtualChanged(this);
        }
    }

    /** The physical function has learnt another bus number. */
    void renumber() {
        present.forEach(one -> one.numbered(physical.capturedBus()));
    }

    private void depart() {
        assert lock.isHeldByCurrentThread();
        List<Endpoint> going = present;
        present = List.of();
        for (Endpoint one : going) {
            one.depart(!physical.isPresent());
        }
        fresh.clear();
        departed.addAll(going);
    }

    private void make(int count) {
        assert lock.isHeldByCurrentThread();
        List<Endpoint> made = new ArrayList<>();
        for (int vf = 1; vf <= count; vf++) {
            long key = physical.key() + layout.firstOffset() + (vf - 1L) * layout.stride();
            if ((physical.capturedBus() << 8) + key > 0xFFFF) { // ER-31
                LOG.error("{}: VF {} and all behind it are past bus 0xff", physical, vf);
                break;
            }
            try {
                made.add(make(vf, (int) key));
            } catch (ErrnoException e) {
                LOG.error("{}: VF {} stays away: {}", physical, vf, e.sentence());
            } catch (RuntimeException | LinkageError | AssertionError e) {
                LOG.error("{}: VF {} stays away: the device threw", physical, vf, e);
            }
        }
        present = List.copyOf(made);
        renumber();
        made.forEach(fabric::add);
        fresh.addAll(made);
    }

    private Endpoint make(int vf, int key) {
        String name = physical.slot() + ".vf" + vf;
        FunctionDmaPort port = new FunctionDmaPort(fabric);
        FunctionInterrupts interrupts = new FunctionInterrupts(port, fabric);
        AtsFunction ats = new AtsFunction(port, fabric);
        DeviceModel model =
                maker.createVirtual(
                        vf,
                        new SlotView(
                                name,
                                view.options(),
                                port,
                                interrupts,
                                ats,
                                view.execution(),
                                view.tracer()));
        try {
            checkBars(model.layout().bars());
            return new Endpoint(physical, vf, key, name, port, interrupts, ats, model);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            model.close();
            throw e;
        }
    }

    private void checkBars(List<BarLayout> bars) {
        for (BarLayout bar : bars) {
            if (layout.bars().stream()
                    .noneMatch(of -> of.index() == bar.index() && of.bytes() == bar.bytes())) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "it has BAR %d of %d bytes; expected what the capability says, %s"
                                .formatted(bar.index(), bar.bytes(), layout.bars()));
            }
        }
    }
}
