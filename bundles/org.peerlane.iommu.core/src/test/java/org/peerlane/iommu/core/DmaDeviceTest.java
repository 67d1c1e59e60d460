package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.CoherentBuffer;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.IovaRange;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("The DMA API")
class DmaDeviceTest {
    private static final long A = 0x1_0000_0000L;
    private static final long BAR = 0x80_0000_0000L;
    private static final long PAGE = TestMachine.PAGE;
    private static final long GIB = 1L << 30;
    private static final DmaDirection BOTH = DmaDirection.BIDIRECTIONAL;
    private static final PeerRoute HOST_BRIDGE =
            new PeerRoute(PeerRoute.Kind.THROUGH_HOST_BRIDGE, 4, "ACS redirect", -0x10_0000L);

    static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private static AddressRange<PhysicalAddress> run(long from, long bytes) {
        return AddressRange.ofLength(new PhysicalAddress(from), bytes);
    }

    @Explore(schedules = 1)
    void aMappingReachesExactlyItsPagesInItsDirectionUntilItIsTakenBack(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            long address = dma.map(A + 0x123, PAGE, DmaDirection.TO_DEVICE, 0);
            assertThat(address & PAGE - 1).isEqualTo(0x123);
            assertThat(machine.read(address)).isEqualTo(A + 0x123);
            assertThat(machine.read(address + PAGE - 1)).isEqualTo(A + 0x123 + PAGE - 1);
            assertThat(machine.write(address)).isEqualTo(-1);
            assertThat(machine.read((address & -PAGE) + 2 * PAGE)).isEqualTo(-1);
            dma.unmap(address, PAGE);
            assertThat(machine.read(address)).isEqualTo(-1);
            assertThatIllegalStateException().isThrownBy(() -> dma.unmap(address, PAGE));
            assertErrno(Errno.EINVAL, () -> dma.map(A, 0, BOTH, 0));
        }
    }

    @Explore(schedules = 1)
    void addressesStayBelowTheMaskAndBelow4GiBAsLongAsThereIsRoom(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            dma.mask(64);
            assertThat(dma.map(A, PAGE, BOTH, 0)).isEqualTo(0xFFFF_F000L);
            assertThat(dma.map(A, 4 * GIB, BOTH, 0)).isGreaterThanOrEqualTo(4 * GIB);
            dma.mask(16);
            for (int i = 0; i < 15; i++) {
                assertThat(dma.map(A, PAGE, BOTH, 0)).isBetween(PAGE, 0xF000L);
            }
            assertErrno(Errno.ENOMEM, () -> dma.map(A, PAGE, BOTH, 0));
            assertErrno(Errno.EINVAL, () -> dma.mask(65));
        }
    }

    @Explore(schedules = 1)
    void aFunctionInADomainOfItsOwnerGetsNoMappings(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            IommuDomain owned = machine.domain();
            machine.iommu.attach(TestMachine.ADDRESS, TestMachine.NONE, owned);
            assertErrno(Errno.EBUSY, () -> dma.map(A, PAGE, BOTH, 0));
            machine.iommu.detach(TestMachine.ADDRESS, TestMachine.NONE);
            long address = dma.map(A, PAGE, BOTH, 0);
            assertThat(machine.write(address)).isEqualTo(A);
        }
    }

    @Explore(schedules = 1)
    void coherentMemoryIsZeroedMappedAndGivenBack(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            machine.memory.free(machine.memory.allocate(2), 2); // leaves something in it
            CoherentBuffer warm = dma.allocateCoherent(PAGE);
            dma.freeCoherent(warm);
            int before = machine.memory.takenPages();
            CoherentBuffer buffer = dma.allocateCoherent(3 * PAGE);
            assertThat(buffer.order()).isEqualTo(2);
            assertThat(machine.memory.takenPages()).isEqualTo(before + 4);
            long[] words = new long[1];
            machine.memory.read(
                    buffer.physical().value() + 2 * PAGE, MemorySegment.ofArray(words), 0, 8);
            assertThat(words[0]).isZero();
            assertThat(machine.write(buffer.dmaAddress() + 2 * PAGE))
                    .isEqualTo(buffer.physical().value() + 2 * PAGE);
            dma.freeCoherent(buffer);
            assertThat(machine.memory.takenPages()).isEqualTo(before);
            assertThat(machine.write(buffer.dmaAddress())).isEqualTo(-1);
            assertErrno(Errno.ENOMEM, () -> dma.allocateCoherent(5L << 20));
        }
    }

    @Rule("P2-8")
    @Explore(schedules = 1)
    void aScatterListIsInOrderJoinedWhereItCanBeAndAllOrNothing(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            SgTable table =
                    dma.map(
                            List.of(
                                    run(A, PAGE),
                                    run(A + 8 * PAGE, 2 * PAGE),
                                    run(A + 32 * PAGE + 0x10, 0x20)),
                            BOTH,
                            0);
            assertThat(table.size()).isEqualTo(2);
            assertThat(table.bytes()).isEqualTo(3 * PAGE + 0x20);
            assertThat(machine.read(table.address(0) + PAGE)).isEqualTo(A + 8 * PAGE);
            assertThat(machine.read(table.address(1))).isEqualTo(A + 32 * PAGE + 0x10);
            assertThat(table.length(1)).isEqualTo(0x20);
            dma.unmap(table);
            assertThat(machine.read(table.address(0))).isEqualTo(-1);
            assertThat(machine.read(table.address(1))).isEqualTo(-1);
            assertThatIllegalStateException().isThrownBy(() -> dma.unmap(table));

            List<AddressRange<PhysicalAddress>> bad =
                    List.of(run(A, PAGE), run(A + 4 * PAGE, PAGE), run(1L << 52, PAGE));
            assertErrno(Errno.ERANGE, () -> dma.map(bad, BOTH, 0));
            assertThat(machine.read(table.address(0))).as("undone").isEqualTo(-1);
            SgTable again = dma.map(List.of(run(A, 4 * PAGE)), BOTH, 0);
            assertThat(again.address(0)).as("the IOVA came back").isEqualTo(table.address(0));
        }
    }

    @Rule("PP-8")
    @Explore(schedules = 1)
    void anIovaRangeIsLinkedPieceByPiece(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            IovaRange range = Objects.requireNonNull(dma.tryAllocate(4 * PAGE));
            range.link(A, 0, PAGE, BOTH, 0);
            range.link(BAR, PAGE, 2 * PAGE, BOTH, MapAttributes.MMIO);
            assertErrno(Errno.EADDRINUSE, () -> range.link(A, 0, PAGE, BOTH, 0));
            assertErrno(Errno.EINVAL, () -> range.link(A, 3 * PAGE, 2 * PAGE, BOTH, 0));
            assertErrno(Errno.EINVAL, () -> range.link(A, 0x10, PAGE, BOTH, 0));
            assertErrno(Errno.EINVAL, () -> range.link(A + 1, 3 * PAGE, PAGE, BOTH, 0));
            range.sync(0, 3 * PAGE);
            assertThat(machine.write(range.address())).isEqualTo(A);
            assertThat(machine.write(range.address() + 2 * PAGE)).isEqualTo(BAR + PAGE);
            range.unlink(PAGE, 2 * PAGE);
            assertThat(machine.write(range.address() + 2 * PAGE)).isEqualTo(-1);
            range.destroy(PAGE);
            assertThat(machine.write(range.address())).isEqualTo(-1);
            assertErrno(Errno.EINVAL, () -> range.sync(0, PAGE));
            assertThat(Objects.requireNonNull(dma.tryAllocate(4 * PAGE)).address())
                    .isEqualTo(range.address());
        }
    }

    @Rule("PP-8")
    @Rule("PP-5")
    @Rule("IM-18")
    @Rule("P2-6")
    @Explore(schedules = 1)
    void withoutTranslationAddressesArePhysicalAndSubjectToTheMask(Execution execution) {
        try (TestMachine machine = TestMachine.of(execution, IommuSettings.Mode.PASSTHROUGH)) {
            for (DmaDevice dma :
                    List.of(
                            machine.dma(),
                            new DirectDmaApi(machine.memory).device(TestMachine.ADDRESS))) {
                assertThat(dma.isTranslated()).isFalse();
                assertThat(dma.tryAllocate(PAGE)).isNull();
                assertThat(dma.map(0x8000_0000L, PAGE, BOTH, 0)).isEqualTo(0x8000_0000L);
                assertErrno(Errno.ENOMEM, () -> dma.map(0xFFFF_F800L, PAGE, BOTH, 0));
                assertErrno(
                        Errno.ENOMEM,
                        () -> dma.mapPeer(HOST_BRIDGE, List.of(run(BAR, PAGE)), BOTH));
                dma.mask(48);
                SgTable table =
                        dma.mapPeer(
                                HOST_BRIDGE, List.of(run(BAR, PAGE), run(BAR + PAGE, PAGE)), BOTH);
                assertThat(table.size()).as("each range singly").isEqualTo(2);
                assertThat(table.address(0)).as("physical, not bus").isEqualTo(BAR);
                dma.unmap(table);
                assertErrno(Errno.EIO, () -> dma.mask(12));
            }
            assertThat(machine.write(0x8000_0000L)).isEqualTo(0x8000_0000L);
        }
    }

    @Rule("P2-6")
    @Rule("PP-5")
    @Rule("PP-9")
    @Explore(schedules = 1)
    void theRouteDecidesWhichAddressAPeerIsReachedBy(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            List<AddressRange<PhysicalAddress>> runs =
                    List.of(run(BAR, PAGE), run(BAR + 8 * PAGE, 3 * PAGE));
            SgTable bus =
                    dma.mapPeer(
                            new PeerRoute(
                                    PeerRoute.Kind.BUS_ADDRESS, 2, "same switch", -0x10_0000L),
                            runs,
                            BOTH);
            assertThat(bus.size()).isEqualTo(2);
            assertThat(bus.address(0)).isEqualTo(BAR - 0x10_0000L);
            assertThat(machine.write(bus.address(0))).as("no IOMMU mapping").isEqualTo(-1);
            dma.unmap(bus);

            int flushes = machine.root.drains;
            SgTable bridge = dma.mapPeer(HOST_BRIDGE, runs, BOTH);
            assertThat(bridge.size()).as("one contiguous range").isEqualTo(1);
            assertThat(bridge.bytes()).isEqualTo(4 * PAGE);
            assertThat(machine.write(bridge.address(0) + 2 * PAGE)).isEqualTo(BAR + 9 * PAGE);
            assertThat(machine.root.drains).isEqualTo(flushes);
            dma.unmap(bridge);
            assertThat(machine.root.drains).as("one flush").isEqualTo(flushes + 1);
            assertThat(machine.write(bridge.address(0))).isEqualTo(-1);

            assertErrno(
                    Errno.EINVAL,
                    () -> dma.mapPeer(PeerRoute.none("no common bridge"), runs, BOTH));
        }
    }

    @Rule("P2-7")
    @Rule("P2-9")
    @Explore(schedules = 1)
    void buffersOver4GiBAndOver8GiBAreMappedWholeInEntriesOf32Bits(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            dma.mask(64);
            for (long size : new long[] {5 * GIB, 9 * GIB + PAGE}) {
                SgTable table =
                        dma.mapPeer(
                                HOST_BRIDGE,
                                List.of(run(BAR, size - PAGE), run(2 * BAR, PAGE)),
                                BOTH);
                assertThat(table.bytes()).isEqualTo(size);
                assertThat(table.size()).isEqualTo((int) (size / 0xFFFF_FFFFL) + 1);
                assertThat(table.length(0)).isEqualTo(0xFFFF_FFFFL);
                long last = table.address(0) + size - 1;
                assertThat(machine.write(last)).isEqualTo(2 * BAR + PAGE - 1);
                assertThat(machine.write(table.address(0) + 4 * GIB)).isEqualTo(BAR + 4 * GIB);
                dma.unmap(table);
                assertThat(machine.write(last)).isEqualTo(-1);
                assertThat(machine.write(table.address(0) + 4 * GIB)).isEqualTo(-1);
            }
        }
    }

    @Rule("P2-8")
    @Rule("PP-8")
    @Explore(schedules = 1)
    void aPeerRangeThatFailsUndoesTheEarlierOnes(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            DmaDevice dma = machine.dma();
            List<AddressRange<PhysicalAddress>> runs =
                    List.of(run(BAR, PAGE), run(BAR + PAGE, PAGE), run(1L << 52, PAGE));
            assertErrno(Errno.ERANGE, () -> dma.mapPeer(HOST_BRIDGE, runs, BOTH));
            SgTable next = dma.mapPeer(HOST_BRIDGE, List.of(run(BAR, 3 * PAGE)), BOTH);
            assertThat(next.address(0)).isEqualTo(0xFFFF_C000L);
        }
    }

    @Rule("PP-7")
    @Rule("IM-10")
    @Explore(schedules = 1)
    void aPeerIsMappedWithTheMmioAttributeAndMemoryCoherently(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            var maps = machine.record(IommuEvents.DomainMap.class);
            DmaDevice dma = machine.dma();
            dma.map(A, PAGE, DmaDirection.TO_DEVICE, 0);
            dma.mapPeer(HOST_BRIDGE, List.of(run(BAR, PAGE)), BOTH);
            assertThat(maps)
                    .extracting(IommuEvents.DomainMap::protection)
                    .containsExactly(
                            IommuDomain.READ | IommuDomain.CACHE,
                            IommuDomain.READ | IommuDomain.WRITE | IommuDomain.MMIO);
        }
    }

    @Explore(schedules = 50)
    void lazyModeFlushesAtTheLatestWhenTheQueueIsFull(Execution execution) {
        try (TestMachine machine = TestMachine.of(execution, IommuSettings.Mode.LAZY)) {
            DmaDevice dma = machine.dma();
            List<Long> addresses = new ArrayList<>();
            for (int i = 0; i < FlushQueue.ENTRIES; i++) {
                addresses.add(dma.map(A + i * PAGE, PAGE, BOTH, 0));
                assertThat(machine.read(addresses.getLast())).isEqualTo(A + i * PAGE);
            }
            addresses.subList(0, addresses.size() - 1).forEach(a -> dma.unmap(a, PAGE));
            assertThat(machine.read(addresses.get(200))).as("stale").isEqualTo(A + 200 * PAGE);
            dma.unmap(addresses.getLast(), PAGE);
            for (long address : addresses) {
                assertThat(machine.read(address)).isEqualTo(-1);
            }
        }
    }

    @Explore(schedules = 1)
    void closingGivesEveryPageBack(Execution execution) {
        TestMachine machine = new TestMachine(execution);
        machine.dma().map(A, PAGE, BOTH, 0);
        machine.iommu.device(PcieAddress.parse("00:05.0")).map(A, GIB, BOTH, 0);
        machine.close();
        assertThat(machine.memory.takenPages()).isZero();
        assertThat(machine.write(0xFFFF_F000L)).isEqualTo(-1);
    }
}
