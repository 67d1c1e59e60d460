package org.peerlane.exec.sim;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Schedule;

/** A schedule that is over. */
record Ran(
        long seed,
        Verdict verdict,
        long steps,
        long elapsedNanos,
        @Nullable Throwable cause,
        String report,
        Trail trail)
        implements Schedule {

    @Override
    public Optional<Throwable> thrown() {
        return Optional.ofNullable(cause);
    }

    @Override
    public List<String> log() {
        return trail.lines();
    }
}
