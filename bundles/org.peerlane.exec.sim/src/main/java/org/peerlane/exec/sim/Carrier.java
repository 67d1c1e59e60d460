package org.peerlane.exec.sim;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.Executor;

/**
 * Makes virtual threads with a scheduler of our choice. The JDK keeps that constructor to itself;
 * this is the one place that opens it.
 */
final class Carrier {
    private static final MethodHandle NEW_BUILDER = builder();

    private Carrier() {}

    private static MethodHandle builder() {
        try {
            Class<?> type = Class.forName("java.lang.ThreadBuilders$VirtualThreadBuilder");
            var constructor = type.getDeclaredConstructor(Executor.class);
            constructor.setAccessible(true);
            return MethodHandles.lookup()
                    .unreflectConstructor(constructor)
                    .asType(MethodType.methodType(Thread.Builder.OfVirtual.class, Executor.class));
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new IllegalStateException(
                    "simulation needs the JVM option"
                            + " --add-opens java.base/java.lang=ALL-UNNAMED on a JDK 25",
                    e);
        }
    }

    /** {@return a virtual thread, not started, whose continuation goes to {@code scheduler}} */
    static Thread unstarted(Executor scheduler, Runnable body) {
        try {
            return ((Thread.Builder.OfVirtual) NEW_BUILDER.invokeExact(scheduler)).unstarted(body);
        } catch (Throwable e) {
            throw new IllegalStateException("the JDK made no virtual thread", e);
        }
    }
}
