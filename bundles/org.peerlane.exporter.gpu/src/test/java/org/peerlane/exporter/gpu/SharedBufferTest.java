package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.MockImporter;

@DisplayName("A card's buffer, shared with others")
class SharedBufferTest {
    private static final int BYTES = 0x4000;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;

    private final LiveExecution execution = new LiveExecution("gpu");
    private final GpuMachine machine = new GpuMachine(execution);
    private Card gpu;
    private GpuBuffer buffer;
    private DmaBuf shared;

    @BeforeEach
    void export() {
        gpu = machine.plug("gpu0", 0);
        machine.plugUndriven("peer", 1);
        machine.direct();
        buffer = gpu.allocate(GpuAllocation.of(BYTES));
        shared = buffer.export(ExportInfo.O_RDWR);
    }

    @AfterEach
    void close() {
        shared.put();
        buffer.close();
        assertThat(machine.machine().violations()).isEmpty();
        machine.close();
        execution.close();
    }

    private MockImporter importer(MockImporter.Kind kind) {
        return machine.machine().importer(machine.device("peer"), kind);
    }

    private static Set<Placement> vram() {
        return EnumSet.of(Placement.VRAM);
    }

    private long bar() {
        return machine.function("gpu0").bar(2).first().value();
    }

    private boolean isOfTheBar(SgTable table) {
        long at = table.address(0);
        return at >= bar() && at < bar() + (4 << 20);
    }

    @Test
    @Rule("GX-1")
    void itsFencesAreTheDmaBufs() {
        assertThat(shared.reservation()).isSameAs(buffer.reservation());
        shared.reservation().waitTimeout(FenceUsage.KERNEL, false, Reservation.NO_LIMIT);
        buffer.fill(0, BYTES, 5).put();
        assertThat(shared.reservation().waitTimeout(FenceUsage.WRITE, false, Reservation.NO_LIMIT))
                .isPositive();
        assertThat(machine.word(buffer, 0)).isEqualTo(5);
    }

    @Test
    @Rule("GX-2")
    void exportedTwiceItIsTheSameAndTakenInByItsCardItIsItself() {
        DmaBuf again = buffer.export(ExportInfo.O_RDWR);
        assertThat(again).isSameAs(shared);
        again.put();
        try (GpuBuffer own = gpu.importBuffer(shared)) {
            assertThat(own).isSameAs(buffer);
            assertThat(machine.core.buffer(shared.id()).attachments()).isEmpty();
        }
        GpuMachine.done(buffer.fill(0, 4, 1)); // one handle less, and still one
        long first = shared.id();
        shared.put();
        shared = buffer.export(ExportInfo.O_RDWR);
        assertThat(shared.id()).isNotEqualTo(first);
    }

    @Test
    @Rule("GX-2")
    void aBufferThatWasTakenInIsExportedAsWhatItIs() {
        Card other = machine.plug("gpu1", 2);
        try (GpuBuffer taken = other.importBuffer(shared)) {
            DmaBuf again = taken.export(ExportInfo.O_RDWR);
            assertThat(again).isSameAs(shared);
            again.put();
            GpuMachine.expect(Errno.EINVAL, () -> taken.move(Placement.VRAM));
        }
    }

    @Test
    @Rule("GX-8")
    @Rule("GX-20")
    void aPeerGetsTheBar() {
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        SgTable table = peer.map(DmaDirection.BIDIRECTIONAL).table();
        assertThat(buffer.placement()).isEqualTo(Placement.VRAM);
        assertThat(isOfTheBar(table)).isTrue();
        peer.detach();
    }

    @Test
    @Rule("GX-6")
    @Rule("PP-11")
    void whoHasNoWayGetsRamAndTheReason() {
        machine.unreachable();
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        assertThat(peer.attachment().peer2peer()).isFalse();
        SgTable table = peer.map(DmaDirection.BIDIRECTIONAL).table();
        assertThat(isOfTheBar(table)).isFalse();
        assertThat(buffer.placement()).isEqualTo(Placement.GTT);
        assertThat(buffer.whereabouts()).contains("no way for peer to the VRAM");
        peer.detach();
    }

    @Test
    @Rule("PP-4")
    void whoseWayEndsAfterItHasAttachedGetsRam() {
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        assertThat(isOfTheBar(peer.map(DmaDirection.BIDIRECTIONAL).table())).isTrue();
        machine.unreachable();
        assertThat(isOfTheBar(peer.map(DmaDirection.BIDIRECTIONAL).table())).isFalse();
        assertThat(buffer.whereabouts()).contains("no way for peer to the VRAM any more");
        peer.detach();
    }

    @Test
    @Rule("GX-8")
    @Rule("PP-10")
    @Rule("DY-32")
    void aDeviceThatTakesNoPeersMemoryMovesItToRamUnderThePeer() {
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        DmaBufMapping old = peer.map(DmaDirection.BIDIRECTIONAL);
        machine.plugUndriven("plain", 2);
        MockImporter plain =
                machine.machine().importer(machine.device("plain"), MockImporter.Kind.STATIC);
        plain.attach(shared);
        SgTable table = plain.map(DmaDirection.BIDIRECTIONAL).table();
        assertThat(isOfTheBar(table)).isFalse();
        assertThat(buffer.placement()).isEqualTo(Placement.GTT);
        assertThat(peer.told()).isEqualTo(1);
        assertThat(old.state()).isNotEqualTo(MappingState.VALID);
        GpuMachine.expect(Errno.EBUSY, () -> buffer.move(Placement.VRAM)); // pinned while mapped
        plain.detach();
        peer.detach();
        buffer.move(Placement.VRAM);
    }

    @Test
    @Rule("GX-7")
    @Rule("dma-buf:T-27")
    void pinnedForWhoTakesNoPeersMemoryItEndsInRam() {
        machine.unreachable();
        MockImporter plain = importer(MockImporter.Kind.PINNED);
        plain.attach(shared);
        plain.map(DmaDirection.BIDIRECTIONAL);
        assertThat(buffer.placement()).isEqualTo(Placement.GTT);
        assertThat(buffer.whereabouts()).contains("pinned");
        plain.detach();
    }

    @Test
    @Rule("GX-7")
    void pinnedForAPeerItStaysInVramBehindTheBar() {
        MockImporter peer = importer(MockImporter.Kind.PINNED);
        peer.attach(shared);
        assertThat(isOfTheBar(peer.map(DmaDirection.BIDIRECTIONAL).table())).isTrue();
        GpuMachine.expect(Errno.EBUSY, () -> buffer.move(Placement.GTT));
        assertThat(gpu.evict()).isZero();
        assertThat(buffer.placement()).isEqualTo(Placement.VRAM);
        peer.detach();
        assertThat(gpu.evict()).isEqualTo(1);
    }

    @Test
    @Rule("GX-7")
    void whatMayLieInVramOnlyIsNotPinnedForWhoHasNoWayThere() {
        machine.unreachable();
        GpuBuffer inside = gpu.allocate(new GpuAllocation(BYTES, vram(), true));
        DmaBuf its = inside.export(ExportInfo.O_RDWR);
        MockImporter plain = importer(MockImporter.Kind.PINNED);
        GpuMachine.expect(Errno.EINVAL, () -> plain.attach(its));
        its.put();
        inside.close();
    }

    @Test
    @Rule("PP-12")
    void whatIsPinnedInVramIsNothingForWhoTakesNoPeersMemory() {
        MockImporter peer = importer(MockImporter.Kind.PINNED);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        machine.plugUndriven("plain", 2);
        MockImporter plain =
                machine.machine().importer(machine.device("plain"), MockImporter.Kind.STATIC);
        GpuMachine.expect(
                Errno.EINVAL,
                () -> {
                    plain.attach(shared);
                    plain.map(DmaDirection.BIDIRECTIONAL);
                });
        plain.detach();
        peer.detach();
    }

    @Test
    @Rule("GX-9")
    void aReadOfTheCpuFetchesItToRamAndAWriteDoesNot() {
        shared.beginCpuAccess(DmaDirection.TO_DEVICE);
        shared.endCpuAccess(DmaDirection.TO_DEVICE);
        assertThat(buffer.placement()).isEqualTo(Placement.VRAM);
        shared.beginCpuAccess(DmaDirection.FROM_DEVICE);
        shared.endCpuAccess(DmaDirection.FROM_DEVICE);
        assertThat(buffer.placement()).isEqualTo(Placement.GTT);
    }

    @Test
    @Rule("GX-9")
    void aReadOfTheCpuLeavesWhatIsPinned() {
        MockImporter peer = importer(MockImporter.Kind.PINNED);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        shared.beginCpuAccess(DmaDirection.BIDIRECTIONAL);
        shared.endCpuAccess(DmaDirection.BIDIRECTIONAL);
        assertThat(buffer.placement()).isEqualTo(Placement.VRAM);
        peer.detach();
    }

    @Test
    @Rule("GX-10")
    void importersAreToldOfAMoveOutOfTheVramAndOfTheAperture() {
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        buffer.move(Placement.GTT);
        assertThat(peer.told()).isEqualTo(1);
        buffer.move(Placement.SYSTEM);
        assertThat(peer.told()).isEqualTo(2);
        buffer.move(Placement.GTT); // its pages stay where they are
        assertThat(peer.told()).isEqualTo(2);
        peer.detach();
    }

    @Test
    @Rule("GX-5")
    void theLastToLetGoLeavesTheMemoryToWhoStillUsesIt() {
        long before = gpu.memory().getFirst().used();
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        GpuBuffer own = gpu.allocate(GpuAllocation.of(BYTES));
        DmaBuf its = own.export(ExportInfo.O_RDWR);
        peer.attach(its);
        peer.begin(FenceUsage.BOOKKEEP);
        own.close();
        its.put();
        peer.detach(); // the last reference, and its work runs on
        assertThat(gpu.memory().getFirst().used()).isEqualTo(before + BYTES);
        peer.end();
        machine.machine()
                .until(
                        10_000_000_000L,
                        "the memory is free",
                        () -> gpu.memory().getFirst().used() == before);
    }

    @Test
    @Rule("GX-13")
    void outOfTheCardsReachIsReachedWhenAllWorkHasEnded() {
        buffer.move(Placement.GTT);
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        peer.behave(MockImporter.Behaviour.SLOW);
        peer.begin(FenceUsage.BOOKKEEP);
        EmulatedThread mover =
                machine.machine().start("mover", () -> buffer.move(Placement.SYSTEM));
        machine.machine().until(10_000_000_000L, "the peer is told", () -> peer.told() > 0);
        assertThat(buffer.placement()).isEqualTo(Placement.GTT);
        peer.end();
        DmaBufMachine.join(mover);
        assertThat(buffer.placement()).isEqualTo(Placement.SYSTEM);
        peer.detach();
    }

    @Test
    @Rule("GX-3")
    @Rule("GX-4")
    @Rule("DY-11")
    void theCopyOfAMoveWaitsForAllWhoUseItAndOthersWaitForTheCopy() {
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        peer.begin(FenceUsage.BOOKKEEP);
        peer.behave(MockImporter.Behaviour.SLOW);
        buffer.move(Placement.GTT);
        assertThat(buffer.placement()).isEqualTo(Placement.GTT);
        assertThat(shared.reservation().testSignaled(FenceUsage.KERNEL)).isFalse();
        peer.end();
        assertThat(shared.reservation().waitTimeout(FenceUsage.KERNEL, false, 10_000_000_000L))
                .isPositive();
        peer.detach();
    }

    @Test
    @Rule("DY-13")
    @Rule("RK-3")
    void aResetTakesTheVramAwayAndGivesItBack() {
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        EmulatedThread resetter = machine.machine().start("resetter", gpu::reset);
        machine.machine().until(10_000_000_000L, "the peer is told", () -> peer.told() > 0);
        assertThat(gpu.resets()).isZero(); // it waits for the peer
        GpuMachine.expect(
                Errno.ENODEV, () -> peer.attachment().mapUnlocked(DmaDirection.BIDIRECTIONAL));
        peer.unmap();
        DmaBufMachine.join(resetter);
        assertThat(gpu.resets()).isEqualTo(1);
        assertThat(shared.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(buffer.losses()).isEqualTo(1);
        peer.map(DmaDirection.BIDIRECTIONAL);
        peer.detach();
    }

    @Test
    void aResetIsRefusedWhileSomebodyWhoCannotBeToldHasItPinnedInVram() {
        MockImporter peer = importer(MockImporter.Kind.PINNED);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        GpuMachine.expect(Errno.EBUSY, gpu::reset);
        assertThat(gpu.resets()).isZero();
        GpuMachine.done(buffer.fill(0, BYTES, 3)); // it goes on
        peer.detach();
    }

    @Test
    void aProcessSeesTheSameBytesWhereverItLiesByBothWays() {
        AddressSpace process = machine.process();
        CpuMapping direct = buffer.mmap(process, 0, BYTES, RW, AddressSpace.MAP_SHARED, 0);
        CpuMapping byFile = shared.mmap(process, 0, BYTES, RW, AddressSpace.MAP_SHARED, 0);
        process.store(direct.first() + 8, 4, 0xABC);
        for (Placement to : new Placement[] {Placement.GTT, Placement.SYSTEM, Placement.VRAM}) {
            buffer.move(to);
            assertThat(process.load(byFile.first() + 8, 4)).isEqualTo(0xABC);
            process.store(byFile.first() + 12, 4, to.ordinal() + 1);
            assertThat(machine.word(buffer, 12)).as("for another").isEqualTo(to.ordinal() + 1);
            assertThat(process.load(direct.first() + 12, 4)).isEqualTo(to.ordinal() + 1);
        }
        GpuMachine.expect(
                Errno.EINVAL,
                () ->
                        buffer.mmap(
                                process,
                                0,
                                BYTES,
                                AddressSpace.PROT_READ,
                                AddressSpace.MAP_PRIVATE,
                                0));
    }

    @Test
    void whenTheCardLeavesEverythingOfItIsRefused() {
        AddressSpace process = machine.process();
        CpuMapping mapping = buffer.mmap(process, 0, BYTES, RW, AddressSpace.MAP_SHARED, 0);
        process.store(mapping.first(), 4, 1);
        MockImporter peer = importer(MockImporter.Kind.DYNAMIC);
        peer.behave(MockImporter.Behaviour.PROMPT);
        peer.attach(shared);
        peer.map(DmaDirection.BIDIRECTIONAL);
        long free = machine.memory.pages().freePages();
        PcieFunction function = machine.function("gpu0");
        machine.root.unbindDriver(function);
        assertThat(machine.memory.pages().freePages()).isGreaterThanOrEqualTo(free);
        assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThatThrownBy(() -> process.load(mapping.first(), 4)).isInstanceOf(BusError.class);
        GpuMachine.expect(Errno.ENODEV, () -> buffer.fill(0, 4, 0));
        GpuMachine.expect(Errno.ENODEV, () -> gpu.allocate(GpuAllocation.of(4096)));
        GpuMachine.expect(Errno.ENODEV, () -> machine.driver.gpu("gpu0"));
        peer.detach();
        machine.root.bindDriver(function);
        assertThat(machine.driver.gpu("gpu0")).isNotSameAs(gpu);
    }
}
