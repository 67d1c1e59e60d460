package org.peerlane.exec.sim;

import org.osgi.service.component.annotations.Component;
import org.peerlane.exec.api.Simulator;

/** Makes simulations; the provider that {@link java.util.ServiceLoader} and the framework find. */
@Component
public final class Simulations implements Simulator {
    /** For the service loader and for declarative services. */
    public Simulations() {}

    @Override
    public Outcome run(long seed, int stepLimit, Program program) {
        return new Simulation(seed, stepLimit).run(program);
    }
}
