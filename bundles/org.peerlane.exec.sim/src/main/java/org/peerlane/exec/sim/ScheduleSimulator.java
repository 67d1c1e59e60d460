package org.peerlane.exec.sim;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Simulator;

/** Runs schedules; keeps nothing from one to the next. */
@Component
public final class ScheduleSimulator implements Simulator {
    static {
        Preload.now();
    }

    /** For {@link java.util.ServiceLoader}, the framework and tests. */
    @Activate
    public ScheduleSimulator() {}

    @Override
    public Schedule run(long seed, int stepLimit, Body body) {
        if (stepLimit <= 0) {
            throw new IllegalArgumentException("step limit " + stepLimit + " is not positive");
        }
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException(
                    "a schedule must be run by a platform thread, not by "
                            + Thread.currentThread());
        }
        return new Scheduler(seed, stepLimit).run(body);
    }
}
