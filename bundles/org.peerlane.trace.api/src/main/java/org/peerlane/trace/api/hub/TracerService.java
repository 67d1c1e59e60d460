package org.peerlane.trace.api.hub;

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

/**
 * Makes the machine's tracer and registers it; sinks may come and go at any time.
 *
 * <p><b>Locks.</b> The framework calls with none of ours held, and the tracer holds none of its own
 * when it asks a sink.
 */
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.peerlane.trace.api.Tracer\"")
@Component(
        service = {},
        immediate = true)
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

    /** Takes the service back; who has a tracepoint may go on emitting, to nobody. */
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
