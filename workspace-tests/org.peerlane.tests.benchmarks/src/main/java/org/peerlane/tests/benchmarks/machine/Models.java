package org.peerlane.tests.benchmarks.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;

/** Three models, so that calls of models have more than two targets. */
final class Models {
    /** BAR 2: memory. */
    static final int VRAM_BYTES = 0x1_0000;

    private Models() {}

    /** {@return a new model of one of the three kinds} */
    static DeviceModel of(int kind) {
        return switch (kind) {
            case 0 -> new First();
            case 1 -> new Second();
            default -> new Third();
        };
    }

    private static class First implements DeviceModel {
        private volatile long register;

        @Override
        public FunctionLayout layout() {
            MemorySegment vram = Arena.ofAuto().allocate(VRAM_BYTES, 4096);
            return FunctionLayout.of(0x1234, 1, 0xFF0000)
                    .bar(BarLayout.registers(0, 4096, true, true)) // a thousand find room
                    .bar(new BarLayout(2, VRAM_BYTES, true, true, vram))
                    .build();
        }

        @Override
        public long read(int bar, long offset, int bytes) {
            return register;
        }

        @Override
        public void write(int bar, long offset, int bytes, long value) {
            register = value;
        }

        @Override
        public void reset(ResetKind kind) {
            register = 0;
        }

        @Override
        public void close() {}
    }

    private static final class Second extends First {
        @Override
        public long read(int bar, long offset, int bytes) {
            return offset;
        }
    }

    private static final class Third extends First {
        @Override
        public long read(int bar, long offset, int bytes) {
            return bytes;
        }
    }
}
