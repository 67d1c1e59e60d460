package org.peerlane.trace.hub;

import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/** Registers the tracer; sinks may come and go. */
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.peerlane.trace.api.Tracer\"")
@Component(service = TracerService.class, immediate = true)
public final class TracerService {
    private final Tracer tracer;
    private final ServiceRegistration<Tracer> registration;

    /**
     * For the framework.
     *
     * @param context where the tracer is registered
     * @param execution stamps events
     */
    @Activate
    public TracerService(BundleContext context, @Reference Execution execution) {
        tracer = new Tracer(execution::nanoTime, execution.lock("trace.tracer"));
        registration = context.registerService(Tracer.class, tracer, null);
    }

    @Deactivate
    void deactivate() {
        registration.unregister();
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addSink(TraceSink sink) {
        tracer.attach(sink);
    }

    void removeSink(TraceSink sink) {
        tracer.detach(sink);
    }
}
