package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.iommu.core.DmaDeviceTest.assertErrno;

import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DomainFlag;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.ReservedRange;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("What a board says of its IOMMU")
class BoardTest {
    private static final long A = 0x1_0000_0000L;
    private static final long PAGE = TestMachine.PAGE;
    private static final int ME = TestMachine.REQUESTER;

    private static IommuSettings with(TableFormat format, String... ranges) {
        return new IommuSettings(
                format,
                0,
                52,
                IommuSettings.Mode.STRICT,
                true,
                8,
                1_000_000,
                List.of(ranges).stream().map(ReservedRanges::parse).toList());
    }

    @Rule("PT-70")
    @Rule("IM-9")
    @Explore(schedules = 1)
    void reservedRangesAreThoseOfTheArchitectureAndOfTheBoard(Execution execution) {
        try (TestMachine machine =
                new TestMachine(
                        execution,
                        with(
                                TableFormat.AMDV1,
                                "* sw-msi 0x8000000-0x80fffff",
                                "00:05.0 direct 0x1000-0x1fff"))) {
            assertThat(machine.iommu.reservedRanges(TestMachine.ADDRESS))
                    .extracting(one -> one.kind() + " " + one.range())
                    .containsExactly(
                            "SW_MSI iova 0x8000000-0x80fffff",
                            "MSI iova 0xfee00000-0xfeefffff",
                            "RESERVED iova 0xfd00000000-0xffffffffff");
        }
        try (TestMachine machine = new TestMachine(execution, with(TableFormat.VTD_SECOND_STAGE))) {
            assertThat(machine.iommu.reservedRanges(TestMachine.ADDRESS))
                    .extracting(ReservedRange::kind)
                    .containsExactly(ReservedRange.Kind.MSI);
            assertThat(
                            machine.iommu
                                    .newDomain(machine.iommu.defaultSpec())
                                    .aperture()
                                    .last()
                                    .value())
                    .isEqualTo((1L << 48) - 1);
        }
    }

    @Rule("PT-71")
    @Explore(schedules = 1)
    void aFunctionWithADirectRangeIsMappedThereAndCannotBeBlocked(Execution execution) {
        try (TestMachine machine =
                new TestMachine(
                        execution,
                        with(
                                TableFormat.VTD_SECOND_STAGE,
                                "0000:00:04.0 direct 0x80000000-0x80000fff"))) {
            Iommu iommu = machine.iommu;
            machine.dma();
            assertThat(machine.write(0x8000_0010L)).isEqualTo(0x8000_0010L);
            assertErrno(
                    Errno.EINVAL,
                    () -> iommu.replace(TestMachine.ADDRESS, TestMachine.NONE, iommu.blocked()));
            assertThat(machine.write(0x8000_0010L)).isEqualTo(0x8000_0010L);
        }
    }

    @Explore(schedules = 1)
    void domainsRefuseWhatTheHardwareOrTheirFlagsDoNotHave(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            Iommu iommu = machine.iommu;
            assertErrno(
                    Errno.EOPNOTSUPP,
                    () ->
                            iommu.newDomain(
                                    new DomainSpec(
                                            TableFormat.X86_64,
                                            0,
                                            EnumSet.of(DomainFlag.DIRTY_TRACKING))));
            assertErrno(
                    Errno.EOPNOTSUPP,
                    () ->
                            iommu.newDomain(
                                    new DomainSpec(
                                            TableFormat.VTD_SECOND_STAGE,
                                            40,
                                            EnumSet.noneOf(DomainFlag.class))));
            IommuDomain domain =
                    iommu.newDomain(
                            new DomainSpec(
                                    TableFormat.VTD_SECOND_STAGE,
                                    39,
                                    EnumSet.of(DomainFlag.NO_READ_ONLY)));
            assertErrno(Errno.EINVAL, () -> domain.map(PAGE, A, PAGE, IommuDomain.READ));
            assertErrno(Errno.EINVAL, () -> domain.map(PAGE, A, 0, TestMachine.RW));
            assertErrno(Errno.EOPNOTSUPP, () -> domain.dirtyTracking(true));
            assertErrno(Errno.EINVAL, () -> iommu.identity().map(PAGE, A, PAGE, 3));
            assertErrno(Errno.EINVAL, () -> iommu.blocked().close());
            IommuDomain other = iommu.newDomain(iommu.defaultSpec());
            assertErrno(Errno.EINVAL, () -> domain.sync(other.newGather()));
        }
    }

    @Explore(schedules = 1)
    void aDomainThatIsInUseIsNeitherClosedNorTakenOver(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            IommuDomain other = machine.iommu.newDomain(machine.iommu.defaultSpec());
            assertErrno(Errno.EBUSY, domain::close);
            assertErrno(
                    Errno.EBUSY,
                    () -> machine.iommu.attach(TestMachine.ADDRESS, TestMachine.NONE, other));
            machine.iommu.detach(TestMachine.ADDRESS, TestMachine.NONE);
            domain.close();
            assertErrno(
                    Errno.EINVAL,
                    () -> machine.iommu.attach(TestMachine.ADDRESS, TestMachine.NONE, domain));
            assertErrno(Errno.ENODEV, () -> domain.map(PAGE, A, PAGE, TestMachine.RW));
        }
    }

    @Rule("PT-36")
    @Explore(schedules = 1)
    void aMapThatFailsHalfWayLeavesNothing(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(4 * PAGE, A, PAGE, TestMachine.RW);
            assertErrno(Errno.EADDRINUSE, () -> domain.map(PAGE, A, 8 * PAGE, TestMachine.RW));
            assertThat(machine.read(PAGE)).isEqualTo(-1);
            assertThat(domain.iovaToPhysical(PAGE)).isEmpty();
            assertThat(machine.read(4 * PAGE)).isEqualTo(A);
        }
    }

    @Rule("IM-9")
    @Rule("IM-6")
    @Explore(schedules = 1)
    void remappedInterruptsPassByHandleAndSourceAndAllOthersAreBlocked(Execution execution)
            throws Exception {
        try (TestMachine machine = new TestMachine(execution, with(TableFormat.VTD_SECOND_STAGE))) {
            IommuUnit iommu = machine.iommu;
            for (int i = 0; i < 3; i++) {
                iommu.remapInterrupt(TestMachine.ADDRESS, 0xFEE0_0000L, i);
            }
            long message = iommu.remapInterrupt(TestMachine.ADDRESS, 0xFEE0_5000L, 0x41);
            long address = message >>> 32;
            assertThat(address & 0x10).isNotZero();
            assertThat(iommu.interrupt(ME, address, (int) message))
                    .isEqualTo(0xFEE0_5000_0000_0041L);
            assertThat(iommu.interrupt(ME, address & ~(0x7FFFL << 5) | 8, 3))
                    .as("handle 0 and subhandle 3")
                    .isEqualTo(0xFEE0_5000_0000_0041L);
            assertThat(iommu.interrupt(0x28, address, 0)).isEqualTo(-1);
            assertThat(iommu.interrupt(ME, 0xFEE0_5000L, 0x41)).isEqualTo(-1);
            assertThat(iommu.interrupt(ME, address | 4, 0)).isEqualTo(-1);
            assertThat(iommu.interrupt(ME, address | 8, 0x1_0000)).isEqualTo(-1);
            iommu.unmapInterrupt(message);
            assertThat(iommu.interrupt(ME, address, 0)).isEqualTo(-1);
            machine.settle();
            assertThat(iommu.faults())
                    .extracting(FaultRecord::reason)
                    .containsExactly(
                            FaultReason.INTERRUPT_SOURCE,
                            FaultReason.INTERRUPT_COMPATIBILITY,
                            FaultReason.INTERRUPT_INDEX,
                            FaultReason.INTERRUPT_RESERVED,
                            FaultReason.INTERRUPT_ABSENT);
            assertErrno(Errno.EINVAL, () -> iommu.remapInterrupt(TestMachine.ADDRESS, 0x1000, 0));
        }
    }

    @Rule("IM-9")
    @Explore(schedules = 1)
    void withoutRemappingInterruptsPassAsTheyAre(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            long message = machine.iommu.remapInterrupt(TestMachine.ADDRESS, 0xFEE0_1000L, 0x22);
            assertThat(message).isEqualTo(0xFEE0_1000_0000_0022L);
            assertThat(machine.iommu.interrupt(ME, 0xFEE0_1000L, 0x22)).isEqualTo(message);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "* msi",
                "* dierct 0x0-0x1",
                "00:99.0 direct 0x0-0x1",
                "* direct 5-1",
                "* direct 0x1"
            })
    void aReservedRangeThatIsNoneIsNamed(String text) {
        assertThatThrownBy(() -> ReservedRanges.parse(text))
                .hasMessageContaining("'" + text + "'")
                .hasMessageContaining("<first>-<last>");
    }

    @Test
    void numbersOutOfTheirRangeAreNamed() {
        assertThatThrownBy(() ->
                        new IommuSettings(
                                TableFormat.AMDV1,
                                65,
                                52,
                                IommuSettings.Mode.LAZY,
                                false,
                                8,
                                1,
                                List.of()))
                .hasMessage("EINVAL: inputBits 65; expected 0 to 64");
    }
}
