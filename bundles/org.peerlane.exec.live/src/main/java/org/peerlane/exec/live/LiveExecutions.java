package org.peerlane.exec.live;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.peerlane.exec.api.Executions;
import org.peerlane.exec.api.Work;

/**
 * The executions of every bundle.
 *
 * <p><b>Life.</b> Immediate: it must outlive the bundles whose threads it counts. It forgets an
 * execution that is closed and has nothing left, when it is asked or another one closes.
 */
@Component(
        service = {Executions.class, LiveExecutions.class},
        immediate = true)
public final class LiveExecutions implements Executions {
    private static final Comparator<Work> ORDER =
            Comparator.comparing(Work::owner).thenComparing(Work::kind).thenComparing(Work::name);

    private final Set<LiveExecution> open = ConcurrentHashMap.newKeySet();
    private final Set<LiveExecution> closed = ConcurrentHashMap.newKeySet();

    /** None yet. */
    @Activate
    public LiveExecutions() {}

    void opened(LiveExecution execution) {
        open.add(execution);
    }

    /** After its threads were waited for; those that stay are still seen. */
    void closed(LiveExecution execution) {
        closed.add(execution);
        open.remove(execution);
        forgetTheFinished();
    }

    private void forgetTheFinished() {
        closed.removeIf(execution -> execution.work().isEmpty());
    }

    @Override
    public List<Work> work() {
        forgetTheFinished();
        List<Work> all = new ArrayList<>();
        open.forEach(execution -> all.addAll(execution.work()));
        closed.forEach(execution -> all.addAll(execution.work()));
        all.sort(ORDER);
        return all;
    }
}
