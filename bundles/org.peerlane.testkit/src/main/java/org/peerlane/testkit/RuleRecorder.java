package org.peerlane.testkit;

import java.lang.reflect.Method;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestWatcher;
import org.opentest4j.TestAbortedException;

/**
 * Writes down what the tests of a {@link Rule} answered: each invocation of a parameterized,
 * repeated, explored or dynamic test counts.
 *
 * <p>The results of a test class lie in one file, {@link RuleResults}; it is taken away when the
 * first test with a rule begins and written when the class has ended, so a run that dies in between
 * leaves none and its rules count as not run.
 *
 * <p><b>Threads.</b> Any; tests of one class may run in parallel.
 */
public final class RuleRecorder
        implements TestWatcher,
                BeforeAllCallback,
                BeforeEachCallback,
                AfterAllCallback,
                InvocationInterceptor {
    private static final Namespace NAMESPACE = Namespace.create(RuleRecorder.class);

    /** For JUnit. */
    public RuleRecorder() {}

    @Override
    public void beforeAll(ExtensionContext context) {
        results(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        results(context);
    }

    /** A class that failed as a whole reports none of its tests, so its own rules have failed. */
    @Override
    public void afterAll(ExtensionContext context) {
        Optional<Throwable> failure = context.getExecutionException();
        if (failure.isPresent()) {
            record(context, outcomeOf(failure.get()));
        }
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        record(context, RuleResults.PASSED);
    }

    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
        record(context, RuleResults.FAILED);
    }

    @Override
    public void testAborted(ExtensionContext context, @Nullable Throwable cause) {
        record(context, RuleResults.ABORTED);
    }

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        record(context, RuleResults.DISABLED);
    }

    /** JUnit tells no watcher of a dynamic test, so it is watched here. */
    @Override
    public void interceptDynamicTest(
            Invocation<@Nullable Void> invocation,
            DynamicTestInvocationContext invoked,
            ExtensionContext context)
            throws Throwable {
        watch(invocation, context);
        record(context, RuleResults.PASSED);
    }

    /** The method that makes the dynamic tests may fail itself. */
    @Override
    public <T> T interceptTestFactoryMethod(
            Invocation<T> invocation,
            ReflectiveInvocationContext<Method> invoked,
            ExtensionContext context)
            throws Throwable {
        return watch(invocation, context);
    }

    private static <T extends @Nullable Object> T watch(
            Invocation<T> invocation, ExtensionContext context) throws Throwable {
        try {
            return invocation.proceed();
        } catch (Throwable failure) {
            record(context, outcomeOf(failure));
            throw failure;
        }
    }

    private static String outcomeOf(Throwable failure) {
        return failure instanceof TestAbortedException ? RuleResults.ABORTED : RuleResults.FAILED;
    }

    private static void record(ExtensionContext context, String outcome) {
        ExtensionContext test = test(context);
        String name =
                test.getRequiredTestClass().getName()
                        + "#"
                        + test.getTestMethod().map(Method::getName).orElse("*");
        RuleResults results = results(test);
        for (String rule : rules(test)) {
            results.add(rule, name, outcome, context.getDisplayName());
        }
    }

    /** {@return the context that knows class and method: a dynamic test's own does not} */
    private static ExtensionContext test(ExtensionContext context) {
        ExtensionContext test = context;
        while (test.getTestClass().isEmpty()) {
            test = test.getParent().orElseThrow();
        }
        return test;
    }

    /** {@return the rules of the test, of its class, and of the classes above and around that} */
    private static Set<String> rules(ExtensionContext context) {
        Set<String> rules = new TreeSet<>();
        context.getTestMethod()
                .ifPresent(method -> add(method.getAnnotationsByType(Rule.class), rules));
        addOfClass(context.getRequiredTestClass(), rules);
        return rules;
    }

    private static void addOfClass(@Nullable Class<?> type, Set<String> rules) {
        if (type == null) {
            return;
        }
        add(type.getDeclaredAnnotationsByType(Rule.class), rules);
        addOfClass(type.getSuperclass(), rules);
        for (Class<?> contract : type.getInterfaces()) {
            addOfClass(contract, rules);
        }
        addOfClass(type.getEnclosingClass(), rules);
    }

    private static void add(Rule[] found, Set<String> rules) {
        for (Rule rule : found) {
            rules.add(rule.value());
        }
    }

    /**
     * {@return the results of the outermost test class, which JUnit closes when that class ends}
     */
    private static RuleResults results(ExtensionContext context) {
        ExtensionContext outermost = context;
        ExtensionContext next = context;
        while (true) {
            if (next.getTestClass().isPresent()) {
                outermost = next;
            }
            Optional<ExtensionContext> parent = next.getParent();
            if (parent.isEmpty()) {
                break;
            }
            next = parent.get();
        }
        String testClass = outermost.getRequiredTestClass().getName();
        return outermost
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(
                        RuleResults.class, key -> RuleResults.begin(testClass), RuleResults.class);
    }
}
