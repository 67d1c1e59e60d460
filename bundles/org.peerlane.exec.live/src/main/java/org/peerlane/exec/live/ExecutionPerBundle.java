package org.peerlane.exec.live;

import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.peerlane.exec.api.Execution;

/**
 * The service: each bundle that asks gets an execution of its own, which ends with the bundle's use
 * of it. All share the machine's checkpoints.
 */
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.peerlane.exec.api.Execution\"")
@Component(
        service = {},
        immediate = true)
public final class ExecutionPerBundle implements ServiceFactory<Execution> {
    private final LiveCheckpoints checkpoints = new LiveCheckpoints();
    private final ServiceRegistration<Execution> registration;

    /**
     * @param context where the service is registered
     */
    @Activate
    public ExecutionPerBundle(BundleContext context) {
        registration = context.registerService(Execution.class, this, null);
    }

    /** Takes the service back; the framework ends what bundles still use. */
    @Deactivate
    void deactivate() {
        registration.unregister();
    }

    @Override
    public Execution getService(Bundle bundle, ServiceRegistration<Execution> of) {
        return new LiveExecution(bundle.getSymbolicName(), checkpoints);
    }

    @Override
    public void ungetService(
            Bundle bundle, ServiceRegistration<Execution> of, Execution execution) {
        ((LiveExecution) execution).close();
    }
}
