package org.peerlane.exec.sim;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Makes builders of virtual threads whose scheduler is ours. The JDK has that constructor, but
 * private (seen in 25, {@code java.lang.ThreadBuilders.VirtualThreadBuilder}).
 */
final class VirtualThreads {
    private static final @Nullable MethodHandle BUILDER = find();

    private VirtualThreads() {}

    static Thread.Builder.OfVirtual scheduledBy(Executor scheduler) {
        MethodHandle builder = BUILDER;
        if (builder == null) {
            throw new IllegalStateException(
                    "simulation needs the JVM option --add-opens=java.base/java.lang=ALL-UNNAMED");
        }
        try {
            return (Thread.Builder.OfVirtual) builder.invokeExact(scheduler);
        } catch (Throwable e) {
            throw new IllegalStateException("this JVM makes no virtual threads: " + e, e);
        }
    }

    private static @Nullable MethodHandle find() {
        try {
            Constructor<?> constructor =
                    Class.forName("java.lang.ThreadBuilders$VirtualThreadBuilder")
                            .getDeclaredConstructor(Executor.class);
            constructor.setAccessible(true);
            return MethodHandles.lookup()
                    .unreflectConstructor(constructor)
                    .asType(MethodType.methodType(Thread.Builder.OfVirtual.class, Executor.class));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }
}
