package org.peerlane.shell;

import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Machine;

/**
 * Lets through once every bundle has been started and the machine is there, with all commands of
 * those that waited for it.
 */
@Component(service = MachineGate.class)
public final class MachineGate implements FrameworkListener {
    private final BundleContext context;
    private final Execution execution;
    private final NamedLock lock;
    private final Condition changed;

    /** Guarded by lock. */
    private boolean started;

    /** Guarded by lock. */
    private @Nullable Machine machine;

    /** For the framework. */
    @Activate
    public MachineGate(BundleContext context, @Reference Execution execution) {
        this.context = context;
        this.execution = execution;
        lock = execution.lock("shell.gate");
        changed = lock.newCondition("open");
        context.addFrameworkListener(this);
    }

    @Deactivate
    void deactivate() {
        context.removeFrameworkListener(this);
    }

    /**
     * All bundles are started, and so their commands are there. The start level itself reads as
     * reached before that.
     */
    @Override
    public void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.STARTLEVEL_CHANGED) {
            change(() -> started = true);
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            target = "(" + Machine.READY + "=true)")
    void setMachine(Machine up) {
        change(() -> machine = up);
    }

    void unsetMachine(Machine gone) {
        change(() -> machine = gone.equals(machine) ? null : machine);
    }

    private void change(Runnable what) {
        lock.lock();
        try {
            what.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until it is open.
     *
     * @param limitNanos the longest to wait
     * @return the machine; null: the time is over
     * @throws InterruptedException the waiting thread was interrupted
     */
    @Nullable Machine await(long limitNanos) throws InterruptedException {
        long end = execution.nanoTime() + limitNanos;
        lock.lockInterruptibly();
        try {
            while (!started || machine == null) {
                long left = end - execution.nanoTime();
                if (left <= 0) {
                    return null;
                }
                changed.awaitNanos(left);
            }
            return machine;
        } finally {
            lock.unlock();
        }
    }
}
