package org.peerlane.testkit;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.peerlane.exec.api.Execution;

/** Runs the method of an {@link Explore} test under one schedule after another. */
final class ExploreExtension implements InvocationInterceptor, ParameterResolver {

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Execution.class;
    }

    /**
     * JUnit wants a value before the method is intercepted; the real one is each schedule's own.
     */
    @Override
    public @Nullable Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return null;
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> call,
            ExtensionContext context)
            throws Throwable {
        Method method = call.getExecutable();
        Explore explore = method.getAnnotation(Explore.class);
        Object test = context.getRequiredTestInstance();
        if (method.getParameterCount() != 1 || method.getParameterTypes()[0] != Execution.class) {
            throw new IllegalStateException(
                    "@Explore method " + method.getName() + " must take one Execution and no more");
        }
        method.setAccessible(true);
        invocation.skip();
        Exploration exploration =
                explore.seed() >= 0
                        ? Exploration.ofSeed(explore.seed())
                        : Exploration.of(explore.schedules());
        exploration
                .stepLimit(explore.stepLimit())
                .run(execution -> invoke(method, test, execution))
                .assertPassed();
    }

    private static void invoke(Method method, Object test, Execution execution) throws Throwable {
        try {
            method.invoke(test, execution);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
