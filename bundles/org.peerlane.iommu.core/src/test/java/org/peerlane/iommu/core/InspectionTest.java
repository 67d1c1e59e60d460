package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DomainInfo;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.api.TableWalk;
import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("A report of the IOMMU")
class InspectionTest {
    private static final long IOVA = 0x4000_0000;
    private static final long A = 0x1_0000_0000L;
    private static final long PAGE = TestMachine.PAGE;
    private static final int NONE = Iommu.NO_PASID;

    @Explore(schedules = 5)
    void countsWhatADomainMapsAndSaysWhoIsInIt(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, 2 << 20, TestMachine.RW); // one page of 2 MiB
            domain.map(0, A, 3 * PAGE, IommuDomain.READ);
            assertThat(machine.iommu.domains())
                    .containsExactly(
                            new DomainInfo(
                                    1,
                                    DomainKind.PAGING,
                                    Optional.of(TableFormat.VTD_SECOND_STAGE),
                                    4,
                                    4,
                                    (2 << 20) + 3 * PAGE,
                                    List.of(new DomainInfo.Attachment(TestMachine.ADDRESS, NONE))));
            machine.iommu.replace(TestMachine.ADDRESS, NONE, machine.iommu.identity());
            domain.close();
            assertThat(machine.iommu.domains())
                    .singleElement()
                    .matches(d -> d.kind() == DomainKind.IDENTITY && d.format().isEmpty());
        }
    }

    @Explore(schedules = 5)
    void countsALeafOfSeveralEqualEntriesOnce(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.iommu.newDomain(DomainSpec.of(TableFormat.AMDV1));
            domain.map(IOVA, A, 16 * PAGE, TestMachine.RW);
            assertThat(machine.iommu.domains())
                    .singleElement()
                    .matches(d -> d.mappings() == 1 && d.bytes() == 16 * PAGE, "one of 64 KiB");
        }
    }

    @Rule("PT-45")
    @Explore(schedules = 5)
    void walksLevelByLevelAsTheHardwareDoesAndMarksNothing(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            machine.attached().map(IOVA, A, PAGE, IommuDomain.READ);
            TableWalk walk = machine.iommu.walk(TestMachine.ADDRESS, NONE, IOVA + 0x123);
            assertThat(walk.steps()).extracting(TableWalk.Step::level).containsExactly(3, 2, 1, 0);
            assertThat(walk.steps()).extracting(TableWalk.Step::index).containsExactly(0, 1, 0, 0);
            for (int i = 1; i < 4; i++) { // each entry leads to the next table
                assertThat(walk.steps().get(i - 1).entry() & -PAGE)
                        .isEqualTo(walk.steps().get(i).table().value());
            }
            assertThat(walk.steps().getLast().text())
                    .isEqualTo("page of 0x1000 at 0x100000000 [R]");
            assertThat(walk.physical()).contains(new PhysicalAddress(A + 0x123));
            assertThat(walk.readFault()).isEmpty();
            assertThat(walk.writeFault()).contains(FaultReason.WRITE_DENIED);

            assertThat(machine.read(IOVA)).isEqualTo(A);
            assertThat(machine.iommu.walk(TestMachine.ADDRESS, NONE, IOVA).steps().getLast().text())
                    .as("the hardware marks")
                    .endsWith("[R A]");
        }
    }

    @Rule("IM-6")
    @Explore(schedules = 5)
    void saysWhereAWalkEndsAndWhy(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            assertThat(machine.iommu.walk(TestMachine.ADDRESS, NONE, IOVA).readFault())
                    .contains(FaultReason.ROOT_ABSENT);
            machine.attached().map(IOVA, A, PAGE, TestMachine.RW);
            TableWalk hole = machine.iommu.walk(TestMachine.ADDRESS, NONE, IOVA + PAGE);
            assertThat(hole.steps().getLast().text()).isEqualTo("empty");
            assertThat(hole.readFault()).contains(FaultReason.READ_DENIED);
            assertThat(hole.physical()).isEmpty();
            assertThat(machine.iommu.walk(TestMachine.ADDRESS, NONE, 1L << 50).writeFault())
                    .contains(FaultReason.BEYOND_WIDTH);
            assertThat(machine.iommu.walk(TestMachine.ADDRESS, 7, IOVA).writeFault())
                    .contains(FaultReason.REQUEST_BLOCKED);
            machine.settle();
            assertThat(machine.iommu.faults()).as("a report is no request").isEmpty();
        }
    }

    @Explore(schedules = 5)
    void listsWhatIsKeptForARequester(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, PAGE, TestMachine.RW);
            assertThat(machine.iommu.iotlb(TestMachine.ADDRESS)).isEmpty();
            assertThat(machine.write(IOVA)).isEqualTo(A);
            assertThat(machine.iommu.iotlb(TestMachine.ADDRESS))
                    .containsExactly(
                            new IotlbEntry(
                                    1, new Iova(IOVA), new PhysicalAddress(A), PAGE, true, true));
            domain.unmap(IOVA, PAGE);
            assertThat(machine.iommu.iotlb(TestMachine.ADDRESS)).isEmpty();
        }
    }

    @Explore(schedules = 5)
    void forgetsFaultsWhenAsked(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            assertThat(machine.write(IOVA)).isEqualTo(-1);
            machine.settle();
            assertThat(machine.iommu.faults()).hasSize(1);
            machine.iommu.clearFaults();
            assertThat(machine.iommu.faults()).isEmpty();
        }
    }
}
