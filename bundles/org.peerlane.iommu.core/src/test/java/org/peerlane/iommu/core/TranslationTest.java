package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DomainFlag;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.FlushGather;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.kernel.api.Iova;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Translation")
class TranslationTest {
    private static final long IOVA = 0x4000_0000;
    private static final long A = 0x1_0000_0000L;
    private static final long B = 0x2_0000_0000L;
    private static final int RW = TestMachine.RW;
    private static final long PAGE = TestMachine.PAGE;

    @Rule("IM-3")
    @Rule("IM-6")
    @Explore(schedules = 20)
    void withoutAContextEverythingIsBlockedAndTheReasonSaysWhatIsMissing(Execution execution)
            throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            assertThat(machine.write(IOVA)).isEqualTo(-1);
            machine.attached();
            assertThat(machine.root.where(0x28, 0, IOVA, true)).isEqualTo(-1);
            machine.settle();
            assertThat(machine.iommu.faults())
                    .extracting(FaultRecord::reason)
                    .containsExactly(FaultReason.ROOT_ABSENT, FaultReason.CONTEXT_ABSENT);
        }
    }

    @Rule("IM-4")
    @Explore(schedules = 20)
    void whoeverHasKeptAnAnswerAsksAgainAfterAnUnmapIfStaleHitsAreTraced(Execution execution)
            throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, PAGE, RW);
            DmaTranslation.Target kept = new DmaTranslation.Target();
            machine.iommu.translate(TestMachine.REQUESTER, 0, IOVA, true, kept);
            DmaTranslation.Generation generation = Objects.requireNonNull(kept.generation);
            assertThat(generation.number()).isEqualTo(kept.number);

            var stale = machine.record(IommuEvents.StaleHit.class);
            FlushGather unflushed = domain.newGather();
            domain.unmap(IOVA, PAGE, unflushed);
            assertThat(generation.number()).isNotEqualTo(kept.number);
            assertThat(stale).isEmpty();
            machine.iommu.translate(TestMachine.REQUESTER, 0, IOVA, true, kept);
            assertThat(kept.physical).as("not redirected").isEqualTo(A);
            assertThat(kept.number).isEqualTo(DmaTranslation.Target.NOT_KEPT);
            assertThat(stale)
                    .containsExactly(new IommuEvents.StaleHit(TestMachine.ADDRESS, IOVA, A, true));
            domain.sync(unflushed);
            assertThat(machine.write(IOVA)).isEqualTo(-1);
        }
    }

    @Rule("IM-5")
    @Rule("IM-6")
    @Rule("PT-60")
    @Explore(schedules = 20)
    void aFaultIsRecordedWithPageDirectionAndReason(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            var seen = new ArrayList<FaultRecord>();
            domain.onFault(seen::add);
            domain.map(IOVA, A, PAGE, IommuDomain.READ);
            DmaTranslation.Target target = new DmaTranslation.Target();
            assertThat(
                            machine.iommu.translate(
                                    TestMachine.REQUESTER, 0, IOVA + 0x123, true, target))
                    .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
            assertThat(machine.read(IOVA + PAGE)).isEqualTo(-1);
            assertThat(machine.read(1L << 50)).isEqualTo(-1);
            machine.settle();
            assertThat(machine.iommu.faults())
                    .containsExactly(
                            fault(IOVA, true, FaultReason.WRITE_DENIED),
                            fault(IOVA + PAGE, false, FaultReason.READ_DENIED),
                            fault(1L << 50, false, FaultReason.BEYOND_WIDTH))
                    .isEqualTo(seen);
        }
    }

    private static FaultRecord fault(long page, boolean write, FaultReason reason) {
        return new FaultRecord(TestMachine.ADDRESS, -1, new Iova(page), write, reason);
    }

    @Rule("IM-7")
    @Explore(schedules = 200)
    void moreFaultsThanSlotsAreDroppedUntilSomebodyHasRead(Execution execution) throws Exception {
        IommuSettings settings =
                new IommuSettings(
                        TableFormat.AMDV1,
                        0,
                        52,
                        IommuSettings.Mode.STRICT,
                        false,
                        4,
                        1_000_000,
                        List.of());
        try (TestMachine machine = new TestMachine(execution, settings)) {
            var handler = execution.lock("test.handler");
            handler.lock();
            try (var _ =
                    execution
                            .checkpoints()
                            .arm(
                                    "iommu.faults.handling",
                                    () -> {
                                        handler.lock();
                                        handler.unlock();
                                    })) {
                for (int i = 0; i < 10; i++) {
                    machine.write(i * PAGE);
                }
                assertThat(machine.iommu.faultsLost()).isEqualTo(6);
                handler.unlock();
                machine.settle();
            }
            assertThat(machine.iommu.faults())
                    .extracting(fault -> fault.address().value())
                    .containsExactly(0L, PAGE, 2 * PAGE, 3 * PAGE);
            machine.write(77 * PAGE);
            machine.settle();
            assertThat(machine.iommu.faults()).hasSize(5);
        }
    }

    @Rule("IM-4")
    @Rule("PT-50")
    @Explore(schedules = 1)
    void anUnmapIsSeenAfterTheFlushAndNotBefore(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            assertThat(machine.read(IOVA)).isEqualTo(-1);
            domain.map(IOVA, A, PAGE, RW);
            assertThat(machine.read(IOVA)).as("absent entries are not cached").isEqualTo(A);
            FlushGather gather = domain.newGather();
            assertThat(domain.unmap(IOVA, PAGE, gather)).isEqualTo(PAGE);
            domain.map(IOVA, B, PAGE, RW);
            assertThat(machine.read(IOVA)).as("stale").isEqualTo(A);
            assertThat(gather.isEmpty()).isFalse();
            assertThat(domain.sync(gather)).isTrue();
            assertThat(gather.isEmpty()).isTrue();
            assertThat(machine.read(IOVA)).isEqualTo(B);
        }
    }

    @Rule("IM-8")
    @Explore(schedules = 1)
    void aTranslationHoldsToTheEndOfItsLeaf(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, 1L << 21, RW);
            domain.map(IOVA + (1L << 21), B, PAGE, RW);
            DmaTranslation.Target target = new DmaTranslation.Target();
            for (int round = 0; round < 2; round++) { // a miss, a hit
                machine.iommu.translate(TestMachine.REQUESTER, 0, IOVA + 0x1234, false, target);
                assertThat(target.physical).isEqualTo(A + 0x1234);
                assertThat(target.bytes).isEqualTo((1L << 21) - 0x1234);
                machine.iommu.translate(
                        TestMachine.REQUESTER, 0, IOVA + (1L << 21) + 8, false, target);
                assertThat(target.physical).isEqualTo(B + 8);
                assertThat(target.bytes).isEqualTo(PAGE - 8);
            }
        }
    }

    @Rule("IM-2")
    @Rule("PT-63")
    @Rule("IM-16")
    @Explore(schedules = 1)
    void eachPasidOfEachRequesterHasItsOwnDomain(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain untagged = machine.attached();
            machine.iommu.enablePasid(machine.function, true);
            untagged.map(IOVA, A, PAGE, RW);
            for (int pasid = 1; pasid <= 5; pasid++) {
                IommuDomain tagged = machine.domain();
                tagged.map(IOVA, B + pasid * PAGE, PAGE, RW);
                machine.iommu.attach(TestMachine.ADDRESS, pasid, tagged);
            }
            for (int round = 0; round < 2; round++) {
                assertThat(machine.read(IOVA)).isEqualTo(A);
                for (int pasid = 1; pasid <= 5; pasid++) {
                    assertThat(tagged(machine, pasid)).isEqualTo(B + pasid * PAGE);
                }
                assertThat(tagged(machine, 6)).isEqualTo(-1);
            }
            machine.iommu.detach(TestMachine.ADDRESS, 3);
            assertThat(tagged(machine, 3)).isEqualTo(-1);
            assertThat(machine.iommu.domainOf(TestMachine.ADDRESS, 2)).isPresent();
            assertThat(machine.iommu.domainOf(TestMachine.ADDRESS, 3)).isEmpty();
        }
    }

    private static long tagged(TestMachine machine, int pasid) {
        return machine.root.where(
                TestMachine.REQUESTER, DmaAttributes.withPasid(0, pasid), IOVA, false);
    }

    @Rule("IM-9")
    @Explore(schedules = 1)
    void theInterruptWindowSkipsTheTablesForWritesAndRefusesReads(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            machine.attached();
            assertThat(machine.write(0xFEE0_1004L)).isEqualTo(0xFEE0_1004L);
            assertThat(machine.read(0xFEE0_1004L)).isEqualTo(-1);
            assertThat(machine.write(0xFEDF_FFFCL)).isEqualTo(-1);
            assertThat(machine.write(0xFEF0_0000L)).isEqualTo(-1);
        }
    }

    @Rule("IM-3")
    @Rule("IM-9")
    @Explore(schedules = 1)
    void identityTranslatesNothingAndStopsAtTheInterruptWindow(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            Iommu iommu = machine.iommu;
            iommu.attach(TestMachine.ADDRESS, TestMachine.NONE, iommu.identity());
            DmaTranslation.Target target = new DmaTranslation.Target();
            machine.iommu.translate(TestMachine.REQUESTER, 0, 0xFEDF_F800L, true, target);
            assertThat(target.physical).isEqualTo(0xFEDF_F800L);
            assertThat(target.bytes).isEqualTo(0x800);
            iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, iommu.blocked());
            assertThat(machine.read(IOVA)).isEqualTo(-1);
        }
    }

    @Rule("PT-53")
    @Rule("PT-14")
    @Explore(schedules = 1)
    void clearingDirtyBitsFlushesSoThatTheNextWriteIsSeenAgain(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain =
                    machine.iommu.newDomain(
                            new DomainSpec(
                                    TableFormat.VTD_SECOND_STAGE,
                                    0,
                                    EnumSet.of(DomainFlag.DIRTY_TRACKING)));
            machine.iommu.attach(TestMachine.ADDRESS, TestMachine.NONE, domain);
            domain.dirtyTracking(true);
            domain.map(IOVA, A, 3 * PAGE, RW);
            machine.read(IOVA);
            assertThat(dirty(domain, false)).isEmpty();
            machine.write(IOVA + PAGE); // a miss
            machine.write(IOVA); // a hit for reads only
            assertThat(dirty(domain, true)).containsExactlyInAnyOrder(0L, 1L);
            assertThat(dirty(domain, false)).isEmpty();
            machine.write(IOVA);
            assertThat(dirty(domain, true)).containsExactly(0L);
        }
    }

    private static Set<Long> dirty(IommuDomain domain, boolean clear) {
        Set<Long> pages = new TreeSet<>();
        domain.readDirty(
                IOVA,
                3 * PAGE,
                clear,
                (iova, bytes) -> {
                    for (long at = 0; at < bytes; at += PAGE) {
                        pages.add((iova + at - IOVA) / PAGE);
                    }
                });
        return pages;
    }
}
