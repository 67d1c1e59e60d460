package org.peerlane.dmabuf.core.resv;

import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Await;

/**
 * A live thread with a transaction of its own that a test leads step by step. Each step answers
 * {@code taken} or whatever came of it, or {@code waits}; {@link #ended} then tells how the wait
 * ended.
 */
final class Party {
    private final Testbed bed;
    private final LinkedBlockingQueue<Step> steps = new LinkedBlockingQueue<>();
    private final EmulatedThread emulated;
    private volatile @Nullable Thread thread;
    private @Nullable Step last;

    /** With it locks are taken; null: without one. */
    @Nullable CoreAcquireContext context;

    private static final class Step {
        final Runnable body;
        volatile boolean begun;
        volatile @Nullable String answer;

        Step(Runnable body) {
            this.body = body;
        }
    }

    Party(Testbed bed, String name) {
        this.bed = bed;
        emulated = bed.execution.start(ThreadKind.BLOCKING, name, this::run);
    }

    private void run() {
        thread = Thread.currentThread();
        try {
            while (true) {
                perform(steps.take());
            }
        } catch (InterruptedException e) {
            return; // the test has ended
        }
    }

    private static void perform(Step step) {
        step.begun = true;
        try {
            step.body.run();
            step.answer = "taken";
        } catch (ErrnoException e) {
            step.answer = e.errno() + (Thread.interrupted() ? ", interrupt pending" : "");
        } catch (RuntimeException e) {
            step.answer = e.getClass().getSimpleName() + ": " + e.getMessage();
        }
    }

    /** {@return how the step ended, or {@code waits}} */
    String step(Runnable body) {
        Step step = new Step(body);
        last = step;
        steps.add(step);
        Thread mine;
        for (int looks = 0; ; looks++) {
            String answer = step.answer;
            if (answer != null) {
                return answer;
            }
            mine = thread;
            if (mine != null && step.begun && mine.getState() == Thread.State.WAITING) {
                answer = step.answer; // it may have ended, and waits for the next
                return answer == null ? "waits" : answer;
            }
            Await.pause("the step", looks);
        }
    }

    /** {@return how the last step ended, once it has} */
    String ended() {
        Step step = last;
        if (step == null) {
            throw new AssertionError("no step yet");
        }
        for (int looks = 0; ; looks++) {
            String answer = step.answer;
            if (answer != null) {
                return answer;
            }
            Await.pause("the end of the step", looks);
        }
    }

    boolean waits() {
        Step step = last;
        return step != null && step.answer == null;
    }

    void interrupt() {
        emulated.interrupt();
    }

    Party begin() {
        step(() -> context = bed.acquire());
        return this;
    }

    String lock(CoreReservation reservation) {
        return step(() -> reservation.lock(context));
    }

    String lockInterruptible(CoreReservation reservation) {
        return step(() -> reservation.lockInterruptible(context));
    }

    @SuppressWarnings("NullAway") // a test begins it
    String lockSlow(CoreReservation reservation) {
        return step(() -> reservation.lockSlow(context));
    }

    void unlock(CoreReservation reservation) {
        String answer = step(reservation::unlock);
        if (!answer.equals("taken")) {
            throw new AssertionError(answer);
        }
    }
}
