package org.peerlane.exec.sim;

import java.util.List;

/**
 * Loads every class of the simulator before the first schedule.
 *
 * <p>A thread of a schedule that loads a class may have to wait for a monitor inside of the JDK,
 * which some thread outside has for a moment. When that gives it back the JVM wakes the one who
 * waits longest, and only the carrier can run it. A carrier that loaded a class just then would
 * wait for the same monitor behind it, for ever.
 */
final class Preload {
    /** All of them, by simple name; a test compares. */
    static final List<String> CLASSES =
            List.of(
                    "Alarm",
                    "Alarm$Wake",
                    "JdkWaits",
                    "JdkWaits$1",
                    "OtherWait",
                    "Preload",
                    "Priorities",
                    "Ran",
                    "Random64",
                    "RandomWalk",
                    "ScheduleSimulator",
                    "Scheduler",
                    "SimCheckpoint",
                    "SimCheckpoint$Action",
                    "SimCheckpoints",
                    "SimCondition",
                    "SimExecution",
                    "SimLock",
                    "SimObservers",
                    "SimThread",
                    "SimThread$Body",
                    "SimThread$Woken",
                    "SimTimer",
                    "Strategy",
                    "TimerThread",
                    "Trail",
                    "VirtualThreads",
                    "WaitList",
                    "WaitReport");

    private Preload() {}

    static void now() {
        String in = Preload.class.getPackageName() + ".";
        for (String name : CLASSES) {
            try {
                Class.forName(in + name, true, Preload.class.getClassLoader());
            } catch (ClassNotFoundException e) {
                throw new LinkageError("the simulator is not whole", e);
            }
        }
    }
}
