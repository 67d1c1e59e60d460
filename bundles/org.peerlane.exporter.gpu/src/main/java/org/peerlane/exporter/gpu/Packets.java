package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;

/** Cuts work into packets, each within one run of either side. */
final class Packets {
    private Packets() {}

    /** {@return packets that copy a part of one list of runs to a part of another} */
    static List<Job.Step> copy(List<Run> from, long at, List<Run> to, long target, long bytes) {
        List<Job.Step> steps = new ArrayList<>();
        Cursor source = new Cursor(from, at);
        Cursor sink = new Cursor(to, target);
        for (long left = bytes; left > 0; ) {
            long length = Math.min(left, Math.min(source.left(), sink.left()));
            steps.add(new Job.Step(source.take(length), sink.take(length), 0));
            left -= length;
        }
        return steps;
    }

    /** {@return packets that fill a part of a list of runs} */
    static List<Job.Step> fill(List<Run> to, long at, long bytes, int pattern) {
        List<Job.Step> steps = new ArrayList<>();
        Cursor sink = new Cursor(to, at);
        for (long left = bytes; left > 0; ) {
            long length = Math.min(left, sink.left());
            steps.add(new Job.Step(null, sink.take(length), pattern));
            left -= length;
        }
        return steps;
    }

    /** A place in a list of runs. */
    private static final class Cursor {
        private final List<Run> runs;
        private int index;
        private long offset;

        Cursor(List<Run> runs, long at) {
            this.runs = runs;
            offset = at;
            settle();
        }

        private void settle() {
            while (index < runs.size() && offset >= runs.get(index).bytes()) {
                offset -= runs.get(index).bytes();
                index++;
            }
        }

        long left() {
            return runs.get(index).bytes() - offset;
        }

        Run take(long length) {
            Run run = runs.get(index);
            Run part = new Run(run.space(), run.address() + offset, length);
            offset += length;
            settle();
            return part;
        }
    }
}
