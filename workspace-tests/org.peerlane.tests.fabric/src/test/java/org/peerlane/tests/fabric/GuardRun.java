package org.peerlane.tests.fabric;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.peerlane.testkit.Exploration;
import org.peerlane.testkit.Explore;

/** One test for {@link Guards}, in the class loader that it is run in. */
public final class GuardRun {
    /** A tenth, as {@code tests.fabric} runs by default. */
    private static final int PART = 10;

    private GuardRun() {}

    /**
     * Runs a test.
     *
     * @param whole at full length, to be green; else the tenth of it that must be enough to see red
     * @return cells of a table
     */
    public static String run(String test, boolean whole) throws Exception {
        int at = test.indexOf('#');
        Class<?> in = Class.forName(test.substring(0, at));
        Method method =
                Arrays.stream(in.getDeclaredMethods())
                        .filter(m -> m.getName().equals(test.substring(at + 1)))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("no test " + test));
        Constructor<?> constructor = in.getDeclaredConstructor();
        constructor.setAccessible(true);
        method.setAccessible(true);
        Object instance = constructor.newInstance();
        Explore explore = method.getAnnotation(Explore.class);
        return explore == null
                ? plain(method, instance, whole)
                : explored(method, instance, explore, whole);
    }

    private static String plain(Method method, Object instance, boolean whole) throws Exception {
        try {
            for (Method other : method.getDeclaringClass().getDeclaredMethods()) {
                if (other.isAnnotationPresent(BeforeEach.class)) {
                    other.setAccessible(true);
                    other.invoke(instance);
                }
            }
            method.invoke(instance);
            return whole ? " as needed | |" : "**green**";
        } catch (InvocationTargetException e) {
            if (whole) {
                throw e;
            }
            return "1 run";
        }
    }

    private static String explored(Method method, Object instance, Explore explore, boolean whole) {
        int schedules = Math.max(1, whole ? explore.schedules() : explore.schedules() / PART);
        long start = System.nanoTime();
        Exploration.Result result =
                Exploration.of(schedules)
                        .stepLimit(explore.stepLimit())
                        .run(execution -> {
                            try {
                                method.invoke(instance, execution);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
        if (whole) {
            result.assertPassed();
            double seconds = (System.nanoTime() - start) / 1e9;
            return " %,d | %.1f s |".formatted(result.schedules(), seconds);
        }
        if (System.getProperty("peerlane.guards.report") != null) {
            System.err.println(result.report());
        }
        return result.found() ? "%,d".formatted(result.schedules()) : "**green**";
    }
}
