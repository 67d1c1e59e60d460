package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.dmabuf.api.MappingTypes.PAL;
import static org.peerlane.dmabuf.api.MappingTypes.SGT;
import static org.peerlane.dmabuf.core.TestMachine.NVME;
import static org.peerlane.dmabuf.core.TestMachine.expect;
import static org.peerlane.dmabuf.core.TestMachine.map;
import static org.peerlane.dmabuf.core.TestMachine.unmap;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.MatchEntry;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

/** Routes and addresses themselves are the bus's and the IOMMU's; what counts here is who asks. */
@DisplayName("Memory of peers")
class PeerTest {
    private static final PeerRoute DIRECT =
            new PeerRoute(PeerRoute.Kind.BUS_ADDRESS, 2, "below one switch", 0);

    private final TestMachine machine =
            new TestMachine(new LiveExecution("peer"), "7.3+maptypes", null);
    private final List<String> dmaCalls = new ArrayList<>();
    private final PcieFunction gpu = answering(PcieFunction.class, "gpu0");
    private final PcieFunction disk = answering(PcieFunction.class, "nvme0");
    private final SgTable made = TestExporter.table(0x1000, TestMachine.SIZE);
    private final DmaDevice dma = answering(DmaDevice.class, made);
    private final ImporterDevice device = new ImporterDevice("nvme0", disk, dma);
    private final PeerProvider bar = new PeerProvider(gpu, 2, 0);
    private PeerRoute route = DIRECT;

    {
        machine.core.setBus(answering(PcieBus.class, ""));
    }

    /** {@return an object whose methods all answer the same, or the route} */
    private <T> T answering(Class<T> type, Object answer) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> {
                            if (type == DmaDevice.class) {
                                dmaCalls.add(method.getName());
                            }
                            return switch (method.getName()) {
                                case "equals" -> proxy == arguments[0];
                                case "hashCode" -> 1;
                                case "toString" -> type.getSimpleName();
                                case "peerRoute" -> route;
                                case "address" -> new PcieAddress(0, 1, 0, 0);
                                default -> method.getReturnType() == void.class ? null : answer;
                            };
                        }));
    }

    /** An exporter of a BAR. */
    private final class Vram extends TestExporter implements DmaBufOperations.NegotiatedMapping {
        @Nullable PeerProvider provider = bar;

        @Override
        public List<MatchEntry> mappingTypes(DmaBuf buffer, Attachment attachment) {
            return List.of(
                    new MatchEntry(SGT, null, true, provider),
                    new MatchEntry(PAL, null, false, null));
        }

        @Override
        public SgTable map(Attachment attachment, DmaDirection direction) {
            return machine.heap.mapPeer(attachment, provider, List.of(), direction);
        }

        @Override
        public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
            machine.heap.freeSgTable(attachment, table, direction);
        }
    }

    private final Vram exporter = new Vram();
    private final Buffer buffer = machine.export(exporter);

    private Attachment attach(ImporterDevice to, boolean peers) {
        return machine.nvme.dynamicAttach(buffer, to, new AttachOperations(peers, _ -> {}), null);
    }

    @Test
    @Rule("DB-45")
    @Rule("DB-46")
    @Rule("PP-5")
    void anExportersTableIsMadeByTheRouteAndFreedWithIt() {
        Attachment attachment = attach(device, true);
        assertThat(attachment.peer2peer()).isTrue();
        BufferMapping mapping = map(attachment);
        assertThat(mapping.table().address(0)).isEqualTo(0x1000);
        unmap(mapping);
        assertThat(dmaCalls).containsExactly("mapPeer", "unmap");
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DB-45")
    @Rule("PP-11")
    @Rule("PP-4")
    void withoutProviderOrRouteThereAreNoAddresses() {
        Attachment attachment = attach(device, true);
        route = PeerRoute.none("ACS of sw0.1 redirects");
        expect(Errno.EINVAL, () -> map(attachment));
        route = DIRECT;
        exporter.provider = null;
        expect(Errno.EINVAL, () -> map(attachment));
        exporter.provider = bar;
        unmap(map(attachment));
        machine.core.unsetBus(Objects.requireNonNull(machine.core.services().bus.get()));
        expect(Errno.EINVAL, () -> map(attachment));
        assertThat(dmaCalls).containsExactly("mapPeer", "unmap");
    }

    @Test
    @Rule("IC-4")
    @Rule("PP-1")
    @Rule("PP-10")
    void theNegotiationAsksForTheImportersConsentAndTheRoute() {
        expect(Errno.EINVAL, () -> attach(device, false));
        expect(Errno.EINVAL, () -> attach(NVME, true));
        route = PeerRoute.none("no common bridge");
        expect(Errno.EINVAL, () -> attach(device, true));
        Attachment physical =
                machine.nvme.mappingAttach(
                        buffer,
                        device,
                        List.of(
                                new MatchEntry(SGT, disk, true, null),
                                new MatchEntry(PAL, disk, false, null)),
                        new AttachOperations(true, _ -> {}),
                        null);
        assertThat(physical.mappingType()).isEqualTo(PAL);
        assertThat(physical.peer2peer()).isFalse();
    }

    @Test
    @Rule("CK-52")
    void aBarForWhoTakesNoneIsReported() {
        TestMachine plain = new TestMachine(new LiveExecution("plain"));
        plain.core.setBus(answering(PcieBus.class, ""));
        TestExporter careless =
                new TestExporter() {
                    @Override
                    public SgTable map(Attachment attachment, DmaDirection direction) {
                        return plain.heap.mapPeer(attachment, bar, List.of(), direction);
                    }
                };
        Buffer its = plain.export(careless);
        map(plain.nvme.attach(its, device));
        assertThat(plain.broken()).containsExactly("CK-52");
        assertThat(plain.last().owner()).isEqualTo("heap");
    }

    @Test
    @Rule("DB-46")
    void whatWasNotMadeOrInAnotherDirectionIsReported() {
        Attachment attachment = attach(device, true);
        buffer.reservation()
                .whileHeld(_ -> {
                    SgTable table =
                            machine.heap.mapPeer(
                                    attachment, bar, List.of(), DmaDirection.TO_DEVICE);
                    machine.heap.freeSgTable(attachment, table, DmaDirection.FROM_DEVICE);
                    assertThatIllegalStateException()
                            .isThrownBy(() ->
                                    machine.heap.freeSgTable(
                                            attachment, table, DmaDirection.TO_DEVICE));
                });
        assertThat(machine.broken()).containsExactly("DB-46", "DB-46");
    }
}
