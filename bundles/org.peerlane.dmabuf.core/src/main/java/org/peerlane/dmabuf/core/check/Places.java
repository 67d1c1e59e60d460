package org.peerlane.dmabuf.core.check;

import java.util.List;
import java.util.Set;
import org.peerlane.exec.api.NamedLock;

/** Where a thread is, for reports. Slow. */
final class Places {
    /** Code that is between whoever takes a lock and the checks. */
    private static final Set<String> SKIPPED =
            Set.of(
                    "org.peerlane.dmabuf.core.resv.CoreReservation",
                    "org.peerlane.dmabuf.core.resv.WaitDieLock",
                    "org.peerlane.dmabuf.core.resv.Waiter",
                    "org.peerlane.dmabuf.core.resv.FenceList",
                    "org.peerlane.dmabuf.core.fence.CoreFence",
                    "org.peerlane.dmabuf.core.fence.CoreFences",
                    "org.peerlane.dmabuf.core.fence.FenceWait",
                    Checks.class.getName(),
                    LockClasses.class.getName(),
                    LockWatch.class.getName(),
                    Places.class.getName(),
                    WaitGraph.class.getName());

    private static final List<String> SKIPPED_PACKAGES =
            List.of(
                    "java.",
                    "jdk.",
                    "org.peerlane.dmabuf.api.",
                    NamedLock.class.getPackageName() + ".",
                    "org.peerlane.exec.live.",
                    "org.peerlane.exec.sim.");

    private Places() {}

    /**
     * {@return the nearest line of code of this thread that is neither the lock's nor the JDK's}
     */
    static String here() {
        return StackWalker.getInstance()
                .walk(frames ->
                        frames.filter(frame -> !isSkipped(frame.getClassName()))
                                .map(frame -> frame.toStackTraceElement().toString())
                                .findFirst()
                                .orElse("an unknown place"));
    }

    /**
     * {@return whose code a thread runs: the bundle in its name, else the package of the nearest
     * code}
     */
    static String owner(Thread thread) {
        int slash = thread.getName().indexOf('/');
        if (slash > 0) {
            return thread.getName().substring(0, slash);
        }
        for (StackTraceElement frame : thread.getStackTrace()) {
            String type = frame.getClassName();
            if (!isSkipped(type)) {
                return type.substring(0, Math.max(0, type.lastIndexOf('.')));
            }
        }
        return "unknown";
    }

    private static boolean isSkipped(String type) {
        int nested = type.indexOf('$');
        return SKIPPED.contains(nested < 0 ? type : type.substring(0, nested))
                || SKIPPED_PACKAGES.stream().anyMatch(type::startsWith);
    }
}
