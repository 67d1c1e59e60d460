package org.peerlane.testkit;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.peerlane.exec.api.Execution;

/** Runs the method of an {@link Explore} once per schedule, and reports it as one test. */
final class ExploreExtension implements TestTemplateInvocationContextProvider {
    private static final String SEED = "peerlane.seed";

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(
            ExtensionContext context) {
        Method method = context.getRequiredTestMethod();
        if (!List.of(method.getParameterTypes()).equals(List.of(Execution.class))) {
            throw new IllegalArgumentException(
                    method + " is marked @Explore: its one parameter must be an Execution");
        }
        return Stream.of(new Schedules(method.getAnnotation(Explore.class)));
    }

    private static Exploration exploration(Explore explore) {
        Long seed = Long.getLong(SEED);
        if (seed == null && explore.seed() == Explore.NO_SEED) {
            return Exploration.of(explore.schedules()).scaled();
        }
        return Exploration.replay(seed == null ? explore.seed() : seed);
    }

    private record Schedules(Explore explore) implements TestTemplateInvocationContext {
        @Override
        public String getDisplayName(int invocationIndex) {
            return "schedules";
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(new Runner(exploration(explore).stepLimit(explore.stepLimit())));
        }
    }

    private record Runner(Exploration exploration)
            implements InvocationInterceptor, ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Execution.class;
        }

        @Override
        public @Nullable Object resolveParameter(
                ParameterContext parameter, ExtensionContext context) {
            return null; // each schedule brings its own
        }

        @Override
        public void interceptTestTemplateMethod(
                Invocation<@Nullable Void> invocation,
                ReflectiveInvocationContext<Method> method,
                ExtensionContext context) {
            invocation.skip();
            Method test = method.getExecutable();
            Object instance = method.getTarget().orElse(null);
            test.setAccessible(true);
            exploration.run(execution -> invoke(test, instance, execution)).assertPassed();
        }

        private static void invoke(Method test, @Nullable Object instance, Execution execution)
                throws Throwable {
            try {
                test.invoke(instance, execution);
            } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
            }
        }
    }
}
