package org.peerlane.dmabuf.core;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Calls of plugins' code: exporters' operations and importers' callbacks. What it throws besides
 * errnos, and what it does to the reservation, is reported with its owner's name; the core's own
 * state stays whole.
 *
 * <p><b>Threads.</b> Any.
 */
final class Callouts {
    private final Checks checks;
    private final Checkpoint entering;

    Callouts(Execution execution, Checks checks) {
        this.checks = checks;
        entering = execution.checkpoint("dmabuf.callout.entering");
    }

    /**
     * {@return what the code answers}
     *
     * @param callee whose code it is
     * @param what for reports, such as {@code map}
     * @throws ErrnoException what it throws; {@code EIO} for anything else; {@code ENODEV} its
     *     bundle has left
     */
    <T extends @Nullable Object> T ask(
            Buffer buffer, Callee callee, String what, Supplier<T> code) {
        String owner = callee.owner();
        entering.reached();
        if (!callee.gate().enter()) {
            throw new ErrnoException(
                    Errno.ENODEV, "%s of %s: %s has left".formatted(what, buffer, owner));
        }
        boolean held = buffer.reservation().isHeld();
        try {
            return code.get();
        } catch (ErrnoException e) {
            throw e;
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            threw(buffer, owner, what, e);
            throw new ErrnoException(Errno.EIO, "%s of %s threw %s".formatted(what, owner, e), e);
        } finally {
            callee.gate().leave();
            checkLock(buffer, owner, what, held);
        }
    }

    /**
     * Runs code that has no way to fail: whatever it throws is reported, and that is all.
     *
     * @return false: its bundle has left, and nothing has run
     */
    boolean tell(Buffer buffer, Callee callee, String what, Runnable code) {
        entering.reached();
        if (!callee.gate().enter()) {
            return false;
        }
        boolean held = buffer.reservation().isHeld();
        try {
            code.run();
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            threw(buffer, callee.owner(), what, e);
        } finally {
            callee.gate().leave();
            checkLock(buffer, callee.owner(), what, held);
        }
        return true;
    }

    private void threw(Buffer buffer, String owner, String what, Throwable thrown) {
        report(
                "CK-7",
                Severity.WRONG,
                owner,
                buffer,
                "%s of %s threw %s; expected nothing but errnos that it may answer"
                        .formatted(what, buffer, thrown));
    }

    private void checkLock(Buffer buffer, String owner, String what, boolean before) {
        boolean after = buffer.reservation().isHeld();
        if (before && !after) {
            report(
                    "CK-16",
                    Severity.FATAL,
                    owner,
                    buffer,
                    "%s of %s was entered with the reservation held and returned without it"
                            .formatted(what, buffer));
        } else if (after && !before) {
            report(
                    "CK-17",
                    Severity.FATAL,
                    owner,
                    buffer,
                    "%s of %s was entered without the reservation and returned with it held"
                            .formatted(what, buffer));
        }
    }

    private void report(
            String rule, Severity severity, String owner, Buffer buffer, String sentence) {
        checks.violations().report(rule, severity, owner, buffer.id(), 0, 0, sentence);
    }
}
