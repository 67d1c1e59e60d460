package org.peerlane.shell;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/**
 * How the process ends. The bnd launcher's main thread runs it: {@link #call} returns when somebody
 * has said the {@linkplain #set code}; the launcher then stops the framework, removes its storage,
 * and leaves with that code.
 */
final class ExitStatus implements Callable<Integer> {
    /** Service property by which the launcher knows what its main thread shall run. */
    static final String MAIN_THREAD = "main.thread";

    private final CountDownLatch known = new CountDownLatch(1);
    private volatile int code;

    /** Says the code; the first one counts. */
    void set(int exit) {
        if (known.getCount() != 0) {
            code = exit;
            known.countDown();
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        known.await();
        return code;
    }
}
