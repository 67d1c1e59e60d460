package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Removal against DMA and interrupts")
class RemovalRaceTest {
    private static final int OURS = 0x5A;
    private static final List<PortConfig> PORT =
            List.of(new PortConfig("rp0", "00:01.0", 0, true, true));

    /** A driver that gives its page to somebody else as soon as the device is out of its hands. */
    private static final class Driver implements PcieDriver {
        private final Rig rig;
        private final long page;
        private final Checkpoint handling;
        private volatile boolean removed;
        private final NamedLock lock;
        private final Condition begun;
        private boolean handled; // guarded by lock

        /** A handler was at work when it had been taken back. */
        volatile boolean late;

        private @Nullable AutoCloseable vector;

        Driver(Rig rig, long page) {
            this.rig = rig;
            this.page = page;
            handling = rig.execution.checkpoint("test.handling");
            lock = rig.execution.lock("test.handler");
            begun = lock.newCondition("begun");
        }

        @Override
        public boolean matches(PcieFunction function) {
            return function.vendorId() == 0x1234;
        }

        @Override
        public void probe(PcieFunction function) {
            function.enable(true, true); // first: the table is in a BAR
            vector = function.requestInterrupt(0, this::handle);
        }

        /** Waits until the handler has begun. */
        void awaitHandler() {
            lock.lock();
            try {
                while (!handled) {
                    begun.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        private void handle() {
            lock.lock();
            try {
                handled = true;
                begun.signalAll();
            } finally {
                lock.unlock();
            }
            for (int i = 0; i < 8; i++) { // it takes its time
                late |= removed;
                handling.reached();
            }
            late |= removed;
        }

        @Override
        public void remove(PcieFunction function, boolean gone) {
            try {
                if (vector != null) {
                    vector.close();
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            removed = true;
            if (gone) {
                rig.fill(page, OURS);
            }
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-68")
    void whatHadLeftADeviceThatIsPulledArrivesAndNothingLater(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Card card = rig.plug("card", "rp0");
            long page = rig.page(0);
            AtomicInteger posted = new AtomicInteger();
            EmulatedThread engine =
                    card.engine(() -> {
                        while (!card.stopping
                                && posted.get() < 3
                                && card.writeStatus(page + posted.get(), 1, 1) == DmaResult.OK) {
                            posted.incrementAndGet();
                        }
                    });
            int before = posted.get();
            rig.root.pull("card");
            byte[] after = rig.bytes(page);
            for (int i = 0; i < before; i++) {
                assertThat(after[i]).isEqualTo((byte) 1);
            }
            Rig.join(engine);
            assertThat(card.closed).isTrue();
            assertThat(card.writeStatus(page + 64, 1, 1)).isEqualTo(DmaResult.GONE);
            assertThat(card.slot.interrupts().raise(0)).isEqualTo(DmaResult.GONE);
            rig.empty();
            assertThat(rig.bytes(page)).isEqualTo(after);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-68")
    void oncePulledOutNothingReachesMemoryThatTheDriverHasGivenAway(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            long page = rig.page(0);
            Driver driver = new Driver(rig, page);
            rig.root.addDriver(driver, "driver");
            Card card = rig.plug("card", "rp0");
            card.engine(() -> {
                for (int i = 0; i < 3 && !card.stopping; i++) {
                    card.write(page, 0xEE, 16);
                    card.slot.interrupts().raise(0);
                }
            });
            rig.root.pull("card");
            rig.expect(page, OURS, "after the driver was told that the device is gone");
            rig.empty();
            assertThat(driver.late).isFalse();
            rig.expect(page, OURS, "after the removal");
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-68")
    void aHandlerThatRunsWhenItsDeviceIsPulledHasEndedWhenTheDriverHasTakenItBack(
            Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Driver driver = new Driver(rig, rig.page(0));
            rig.root.addDriver(driver, "driver");
            Card card = rig.plug("card", "rp0");
            card.engine(() -> card.slot.interrupts().raise(0));
            driver.awaitHandler();
            rig.root.pull("card");
            rig.empty();
            assertThat(driver.late).isFalse();
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-70")
    @Rule("PC-65")
    void onceADriverIsOffItsFunctionNothingReachesMemory(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            long page = rig.page(0);
            Driver driver = new Driver(rig, page);
            rig.root.addDriver(driver, "driver");
            Card card = rig.plug("card", "rp0");
            EmulatedThread engine =
                    card.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            card.write(page, 0xEE, 16);
                        }
                    });
            rig.root.removeDriver(driver);
            rig.fill(page, OURS);
            Rig.join(engine);
            rig.empty();
            rig.expect(page, OURS, "after the driver had left");
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-68")
    void aPeerThatIsPulledOutTakesNoWriteAfterwards(Execution execution) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Card target = rig.plug("target", "sw0.0");
            Card writer = rig.plug("writer", "sw0.1");
            long bar = rig.function("target").bar(2).first().value();
            EmulatedThread engine =
                    writer.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            assertThat(writer.writeStatus(bar + i, 0xEE, 1))
                                    .isEqualTo(DmaResult.OK);
                        }
                        assertThat(writer.read(bar, new byte[1]))
                                .isIn(DmaResult.OK, DmaResult.UNSUPPORTED_REQUEST);
                    });
            rig.root.pull("target");
            target.vram.fill((byte) OURS);
            Rig.join(engine);
            rig.empty();
            byte[] vram = target.vram.toArray(ValueLayout.JAVA_BYTE);
            assertThat(vram[0]).isEqualTo((byte) OURS);
            assertThat(vram[1]).isEqualTo((byte) OURS);
            assertThat(vram[2]).isEqualTo((byte) OURS);
        }
    }
}
