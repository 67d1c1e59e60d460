package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.fail;

import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for something that other threads bring about, with a limit. */
final class Await {
    private static final long LIMIT_NANOS = 20_000_000_000L;

    private Await() {}

    /** Polls until {@code condition} holds; fails with {@code what} after the limit. */
    static void until(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + LIMIT_NANOS;
        while (!condition.call()) {
            if (System.nanoTime() - end > 0) {
                fail("not within " + LIMIT_NANOS / 1_000_000_000L + " s: " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }
}
