package org.peerlane.exec.api;

import java.util.SortedSet;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The checkpoints, by name. In the framework all executions share one set, so that one bundle can
 * act at a point of another; what a departing bundle has armed is disarmed. Under simulation each
 * schedule has its own.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface Checkpoints {
    /** {@return the names asked for so far} */
    SortedSet<String> names();

    /**
     * Arms a checkpoint, whether anybody has asked for it yet or not.
     *
     * @param name the checkpoint
     * @param action runs on each thread that reaches it, before it goes on
     * @return disarms it; several armed actions run in the order they came
     */
    Armed arm(String name, Runnable action);

    /** An action that sits at a checkpoint. */
    interface Armed extends AutoCloseable {
        /** {@return how often the checkpoint was reached since it was armed} */
        long hits();

        /** Disarms it; a thread that is in the action finishes it. */
        @Override
        void close();
    }
}
