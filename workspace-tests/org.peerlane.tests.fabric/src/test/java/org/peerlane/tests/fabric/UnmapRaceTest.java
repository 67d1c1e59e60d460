package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.bus.pcie.BusEvents;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.testkit.Exploration;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Unmap against DMA in flight")
class UnmapRaceTest {
    private static final int OURS = 0x5A;
    private static final int REDIRECT = 0x1D;

    /** The byte came after the unmap had returned. */
    private static final class LateByte extends RuntimeException {
        private static final long serialVersionUID = 1;

        LateByte(String message) {
            super(message);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("IM-4")
    @Rule("ER-32")
    @Rule("IM-23")
    void throughTheIommuNoByteIsWrittenOnceTheUnmapHasReturned(Execution execution) {
        try (Rig rig = new Rig(execution, List.of(), true)) {
            Card card = rig.plug("card", "00:04.0");
            DmaDevice dma = rig.iommu().device(rig.function("card").address());
            long page = rig.page(0);
            long iova = dma.map(page, 4096, DmaDirection.BIDIRECTIONAL, 0);
            EmulatedThread engine =
                    card.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            card.write(iova + i * 64, 0xEE, 64);
                        }
                    });
            dma.unmap(iova, 4096);
            rig.fill(page, OURS);
            Rig.join(engine);
            rig.empty();
            rig.expect(page, OURS, "written after the unmap");
        }
    }

    @Explore(schedules = 10_000)
    @Rule("IM-4")
    void throughTheIommuNoByteIsReadOnceTheUnmapHasReturned(Execution execution) {
        try (Rig rig = new Rig(execution, List.of(), true)) {
            Card card = rig.plug("card", "00:04.0");
            DmaDevice dma = rig.iommu().device(rig.function("card").address());
            long page = rig.page(0);
            long iova = dma.map(page, 4096, DmaDirection.BIDIRECTIONAL, 0);
            byte[] seen = new byte[64];
            EmulatedThread engine =
                    card.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            card.read(iova + i * 64, seen);
                        }
                    });
            dma.unmap(iova, 4096);
            rig.fill(page, OURS);
            Rig.join(engine);
            for (byte one : seen) {
                assertThat(one).isZero();
            }
        }
    }

    /**
     * An importer unmaps, then the exporter gives the memory to somebody else.
     *
     * @param acs control bits of the two ports
     * @param detected counts the late writes that the trace shows
     */
    private static void peers(Execution execution, int acs, AtomicInteger detected) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, true)) {
            Card exporter = rig.plug("exporter", "sw0.0");
            Card importer = rig.plug("importer", "sw0.1");
            Registers.acs(rig.function("sw0.0"), acs);
            Registers.acs(rig.function("sw0.1"), acs);
            PcieFunction provider = rig.function("exporter");
            PcieFunction client = rig.function("importer");
            PeerRoute route = rig.root.peerRoute(provider, client);
            assertThat(route.kind())
                    .isEqualTo(
                            acs == 0
                                    ? PeerRoute.Kind.BUS_ADDRESS
                                    : PeerRoute.Kind.THROUGH_HOST_BRIDGE);
            DmaDevice dma = rig.iommu().device(client.address());
            dma.mask(64);
            SgTable table =
                    dma.mapPeer(
                            route,
                            List.of(AddressRange.ofLength(provider.bar(2).first(), 4096)),
                            DmaDirection.BIDIRECTIONAL);
            long address = table.address(0);
            EmulatedThread engine = importer.engine(() -> importer.write(address, 0xEE, 64));
            dma.unmap(table);
            exporter.vram.fill((byte) OURS);
            rig.trace();
            Rig.join(engine);
            importer.read(address, new byte[1]); // pushes what is on the path
            if (exporter.vram.get(ValueLayout.JAVA_BYTE, 0) != OURS) {
                for (BusEvents.DmaWrite write : rig.events(BusEvents.DmaWrite.class)) {
                    if (write.requester().equals(client.address())
                            && write.physical() == provider.bar(2).first().value()) {
                        detected.incrementAndGet();
                    }
                }
                throw new LateByte("0xEE arrived after the unmap had returned");
            }
            assertThat(exporter.vram.mismatch(MemorySegment.ofArray(ours()))).isEqualTo(-1);
        }
    }

    private static byte[] ours() {
        byte[] all = new byte[Card.VRAM];
        Arrays.fill(all, (byte) OURS);
        return all;
    }

    @Test
    @Rule("IM-1")
    void onADirectRouteTheLateByteArrivesDoesItsDamageAndIsTraced() {
        AtomicInteger detected = new AtomicInteger();
        Exploration.Result result =
                Exploration.of(10_000).run(execution -> peers(execution, 0, detected));
        assertThat(result.found()).isTrue();
        assertThat(result.failed().orElseThrow().thrown().orElseThrow())
                .isInstanceOf(LateByte.class);
        assertThat(detected).hasValue(1);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-56")
    @Rule("IM-4")
    void throughTheHostBridgeTheSamePeersShowNoLateByte(Execution execution) {
        peers(execution, REDIRECT, new AtomicInteger());
    }
}
