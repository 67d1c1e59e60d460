package org.peerlane.trace.api.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

@DisplayName("Tracer service")
class TracerServiceTest {
    record Rang(long offset) implements TraceEvent {}

    private final NamedLock lock = new NamedLock("trace.tracer") {};
    private final List<Tracer> registered = new ArrayList<>();
    private final List<Boolean> held = new ArrayList<>();

    private final Execution execution =
            stub(
                    Execution.class,
                    (proxy, method, arguments) ->
                            switch (method.getName()) {
                                case "nanoTime" -> 7L;
                                case "lock" -> lock;
                                default -> throw new UnsupportedOperationException(method + "");
                            });

    private final BundleContext framework =
            stub(
                    BundleContext.class,
                    (proxy, method, arguments) -> {
                        held.add(lock.isHeldByCurrentThread());
                        registered.add((Tracer) arguments[1]);
                        return stub(
                                ServiceRegistration.class,
                                (registration, unregister, none) -> {
                                    held.add(lock.isHeldByCurrentThread());
                                    registered.removeFirst();
                                    return null;
                                });
                    });

    private static <T> T stub(Class<T> type, InvocationHandler answers) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, answers));
    }

    @Test
    void oneTracerIsThereWhileTheComponentIs() {
        TracerService service = new TracerService(framework, execution);
        assertThat(registered).hasSize(1);
        service.deactivate();
        assertThat(registered).isEmpty();
        assertThat(held).as("the tracer's lock, at each call of the framework").containsOnly(false);
    }

    @Test
    void aSinkHearsTheMachineFromItsBindingToItsUnbinding() {
        List<String> heard = new ArrayList<>();
        TraceSink sink =
                new TraceSink() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        return true;
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        heard.add(nanos + " " + event);
                    }
                };
        TracerService service = new TracerService(framework, execution);
        Tracepoint<Rang> rang = registered.getFirst().point(Rang.class);

        rang.emit(new Rang(1));
        service.addSink(sink);
        rang.emit(new Rang(2));
        service.removeSink(sink);
        rang.emit(new Rang(3));

        assertThat(heard).containsExactly("7 Rang[offset=2]");
    }
}
