package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("A flush against DMA in flight")
class FlushRaceTest {
    private static final int SCHEDULES = 10_000;
    private static final long IOVA = 0x4000_0000;
    private static final long A = 0x1_0000_0000L;
    private static final long B = 0x2_0000_0000L;
    private static final long C = 0x3_0000_0000L;
    private static final int RW = TestMachine.RW;
    private static final long PAGE = TestMachine.PAGE;

    /** An engine that writes so many times to an address, and looks where each write lands. */
    private static void writer(TestMachine machine, int times, long iova, LongConsumer lands) {
        machine.engine(() -> {
            for (int i = 0; i < times; i++) {
                machine.root.dma(TestMachine.REQUESTER, 0, iova, true, lands);
            }
        });
    }

    @Rule("PT-51")
    @Rule("IM-4")
    @Explore(schedules = SCHEDULES)
    void afterAnUnmapNotOneByteArrives(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, PAGE, RW);
            AtomicBoolean freed = new AtomicBoolean();
            for (int engine = 0; engine < 2; engine++) {
                writer(
                        machine,
                        3,
                        IOVA,
                        physical -> {
                            assertThat(physical).isEqualTo(A);
                            assertThat(freed).isFalse();
                        });
            }
            assertThat(domain.unmap(IOVA, PAGE)).isEqualTo(PAGE);
            freed.set(true);
            machine.join();
        }
    }

    @Rule("PT-51")
    @Rule("PT-43")
    @Explore(schedules = SCHEDULES)
    void tablePagesAreFreedWhenNobodyWalksThem(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            long size = 1L << 21;
            domain.map(IOVA, A + PAGE, size, RW); // one table of 4 KiB leaves
            machine.write(IOVA + PAGE); // the way is marked: no later walk writes to it
            writer(machine, 3, IOVA, physical -> assertThat(physical).isEqualTo(A + PAGE));
            assertThat(domain.unmap(IOVA, size)).isEqualTo(size);
            assertThat(machine.memory.takenPages()).isEqualTo(3);
            machine.join();
        }
    }

    @Rule("PT-64")
    @Rule("IM-3")
    @Explore(schedules = SCHEDULES)
    void afterASwitchOfDomainsNothingUsesTheOldOne(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain first = machine.attached();
            IommuDomain second = machine.domain();
            first.map(IOVA, A, PAGE, RW);
            second.map(IOVA, B, PAGE, RW);
            AtomicInteger step = new AtomicInteger();
            writer(
                    machine,
                    6,
                    IOVA,
                    physical ->
                            assertThat(physical)
                                    .as("after step %d", step.get())
                                    .isIn(
                                            switch (step.get()) {
                                                case 0 -> new Long[] {A, B};
                                                case 1 -> new Long[] {B, C};
                                                default -> new Long[] {C};
                                            }));
            machine.iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, second);
            step.set(1);
            first.unmap(IOVA, PAGE); // nobody is in it
            first.map(IOVA, C, PAGE, RW);
            machine.iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, first);
            step.set(2);
            second.close();
            machine.join();
            assertThat(machine.write(IOVA)).isEqualTo(C);
        }
    }

    @Rule("PT-51")
    @Explore(schedules = SCHEDULES)
    void aFlushDuringASwitchCoversWhatIsStillInTheOldDomain(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain first = machine.attached();
            IommuDomain second = machine.domain();
            first.map(IOVA, A, PAGE, RW);
            second.map(IOVA, B, PAGE, RW);
            AtomicBoolean freedA = new AtomicBoolean();
            writer(
                    machine,
                    3,
                    IOVA,
                    physical -> assertThat(physical == A && freedA.get()).isFalse());
            machine.engine(
                    () -> machine.iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, second));
            first.unmap(IOVA, PAGE);
            freedA.set(true);
            machine.join();
        }
    }

    @Explore(schedules = SCHEDULES)
    void ofTwoUnmapsOfOneMappingOneIsRefused(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            long address = dma.map(A, PAGE, DmaDirection.BIDIRECTIONAL, 0);
            AtomicInteger refused = new AtomicInteger();
            Runnable unmap =
                    () -> {
                        try {
                            dma.unmap(address, PAGE);
                        } catch (IllegalStateException e) {
                            refused.incrementAndGet();
                        }
                    };
            machine.engine(unmap);
            machine.engine(unmap);
            machine.join();
            assertThat(refused).hasValue(1);
            assertThat(dma.map(A, PAGE, DmaDirection.BIDIRECTIONAL, 0))
                    .isNotEqualTo(dma.map(B, PAGE, DmaDirection.BIDIRECTIONAL, 0));
        }
    }

    /** A DMA port uses an answer again as long as its generation has not advanced. */
    @Rule("PT-51")
    @Rule("PT-64")
    @Explore(schedules = SCHEDULES)
    void aKeptAnswerIsUsedNeitherAfterAnUnmapNorAfterASwitch(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain first = machine.attached();
            IommuDomain second = machine.domain();
            first.map(IOVA, A, PAGE, RW);
            second.map(IOVA, B, PAGE, RW);
            AtomicInteger step = new AtomicInteger();
            machine.engine(() -> {
                DmaTranslation.Target kept = new DmaTranslation.Target();
                for (int i = 0; i < 6; i++) {
                    machine.root.keptWrite(
                            TestMachine.REQUESTER,
                            IOVA,
                            kept,
                            physical -> {
                                assertThat(physical == A && step.get() > 0).isFalse();
                                assertThat(physical == B && step.get() > 1).isFalse();
                            });
                }
            });
            machine.iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, second);
            step.set(1);
            second.unmap(IOVA, PAGE);
            step.set(2);
            machine.join();
        }
    }

    /**
     * Whoever is in a translation may have found the old context and not looked at the generation
     * yet: its answer would be kept as one of now.
     */
    @Rule("PT-64")
    @Explore(schedules = 1)
    void aSwitchWaitsBeforeItEndsKeptAnswersAndAgainAfterIt(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            machine.attached().map(IOVA, A, PAGE, RW);
            IommuDomain second = machine.domain();
            DmaTranslation.Target kept = new DmaTranslation.Target();
            machine.root.keptWrite(TestMachine.REQUESTER, IOVA, kept, _ -> {});
            DmaTranslation.Generation generation = Objects.requireNonNull(kept.generation);
            List<Boolean> good = new ArrayList<>();
            machine.root.onDrain = () -> good.add(generation.number() == kept.number);
            machine.iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, second);
            assertThat(good).containsExactly(true, false);
        }
    }

    @Rule("IM-14")
    @Rule("PT-51")
    @Explore(schedules = SCHEDULES)
    void afterAnUnmapNoDeviceTlbHasTheTranslation(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            machine.iommu.enableAts(machine.function, true);
            domain.map(IOVA, A, PAGE, RW);
            AtomicBoolean freed = new AtomicBoolean();
            machine.engine(() -> {
                for (int i = 0; i < 3; i++) {
                    machine.root.atsWrite(
                            TestMachine.REQUESTER,
                            IOVA,
                            physical -> {
                                assertThat(physical).isEqualTo(A);
                                assertThat(freed).isFalse();
                            });
                }
            });
            domain.unmap(IOVA, PAGE);
            freed.set(true);
            machine.join();
        }
    }

    @Rule("IM-4")
    @Rule("PT-51")
    @Explore(schedules = SCHEDULES)
    void lazyModeShowsTheStaleHitAndKeepsTheAddress(Execution execution) throws Exception {
        try (TestMachine machine = TestMachine.of(execution, IommuSettings.Mode.LAZY)) {
            var stale = machine.record(IommuEvents.StaleHit.class);
            DmaDevice dma = machine.dma();
            long address = dma.map(A, PAGE, DmaDirection.BIDIRECTIONAL, 0);
            assertThat(machine.write(address)).isEqualTo(A);
            assertThat(stale).isEmpty();
            machine.engine(() -> {
                dma.unmap(address, PAGE);
                long other = dma.map(B, PAGE, DmaDirection.BIDIRECTIONAL, 0);
                assertThat(other).as("not given out before the flush").isNotEqualTo(address);
            });
            machine.join();
            assertThat(machine.write(address)).as("the damage is done").isEqualTo(A);
            assertThat(stale)
                    .containsExactly(
                            new IommuEvents.StaleHit(TestMachine.ADDRESS, address, A, true));
            execution.sleep(20_000_000);
            assertThat(machine.write(address)).isEqualTo(-1);
            assertThat(dma.map(C, PAGE, DmaDirection.BIDIRECTIONAL, 0)).isEqualTo(address);
        }
    }
}
