package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.peerlane.dmabuf.api.MappingTypes.PAL;
import static org.peerlane.dmabuf.api.MappingTypes.SGT;
import static org.peerlane.dmabuf.core.TestMachine.NVME;
import static org.peerlane.dmabuf.core.TestMachine.expect;
import static org.peerlane.dmabuf.core.TestMachine.map;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.MappingType;
import org.peerlane.dmabuf.api.MatchEntry;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Mapping types and physical ranges")
class NegotiationTest {
    private final TestMachine machine =
            new TestMachine(new LiveExecution("types"), "7.3+maptypes", null);
    private final TestMachine plain = new TestMachine(new LiveExecution("plain"));

    /** Offers what it is told to. */
    private static final class Offering extends TestExporter
            implements DmaBufOperations.NegotiatedMapping {
        final List<MatchEntry> offers;

        Offering(MappingType... types) {
            offers = entries(types);
        }

        @Override
        public List<MatchEntry> mappingTypes(DmaBuf buffer, Attachment attachment) {
            called("mappingTypes", buffer, attachment);
            return offers;
        }
    }

    /** A type of a plugin's own, which answers as it is told to. */
    private record Own(int errno, List<String> asked) implements MappingType {
        @Override
        public String name() {
            return "OWN";
        }

        @Override
        public Verdict match(MatchEntry exporter, MatchEntry importer) {
            asked.add("asked");
            return new Verdict(errno, false, "own reason");
        }
    }

    private static List<MatchEntry> entries(MappingType... types) {
        List<MatchEntry> entries = new ArrayList<>();
        for (MappingType type : types) {
            entries.add(new MatchEntry(type, null, true, null));
        }
        return entries;
    }

    private Attachment attach(DmaBuf buffer, MappingType... accepted) {
        return machine.nvme.mappingAttach(
                buffer, NVME, entries(accepted), new AttachOperations(true, _ -> {}), null);
    }

    @Test
    @Rule("IC-3")
    @Rule("IC-1")
    @Rule("IC-2")
    @Rule("dma-buf:T-28")
    void theExportersOrderDecidesAndNothingInCommonIsRefused() {
        Buffer both = machine.export(new Offering(PAL, SGT));
        assertThat(attach(both, SGT, PAL).mappingType()).isEqualTo(PAL);
        Buffer lists = machine.export(new Offering(SGT));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> attach(lists, PAL))
                .withMessageContaining("offered are [SGT], accepted are [PAL]")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(machine.nvme.attachments()).hasSize(1);
    }

    @Test
    @Rule("IC-1")
    void anImporterThatKnowsNothingOfTypesAcceptsScatterLists() {
        Buffer both = machine.export(new Offering(PAL, SGT));
        assertThat(machine.attach(both, _ -> {}).mappingType()).isEqualTo(SGT);
        Buffer physical = machine.export(new Offering(PAL));
        expect(Errno.EINVAL, () -> machine.attach(physical, _ -> {}));
    }

    @Test
    @Rule("IC-3")
    void aRefusalLetsTheNextPairBeTriedAndAnythingElseEndsIt() {
        List<String> asked = new ArrayList<>();
        Own unfit = new Own(Errno.EOPNOTSUPP.number(), asked);
        Own broken = new Own(Errno.EBUSY.number(), asked);
        assertThat(attach(machine.export(new Offering(unfit, SGT)), unfit, SGT).mappingType())
                .isEqualTo(SGT);
        assertThat(asked).hasSize(1);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> attach(machine.export(new Offering(broken, SGT)), broken, SGT))
                .withMessageContaining("OWN: own reason")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> attach(machine.export(new Offering(unfit)), unfit))
                .withMessageContaining("OWN: own reason");
        Own fits = new Own(0, asked);
        assertThat(attach(machine.export(new Offering(fits)), fits).mappingType()).isEqualTo(fits);
    }

    @Test
    @Rule("IC-6")
    void onlyFunctionsOfTheChosenTypeMayBeCalled() {
        Attachment physical = attach(machine.export(new Offering(PAL)), PAL);
        expect(Errno.EOPNOTSUPP, () -> map(physical));
        Buffer full = machine.export("vfio-pci", new TestExporter.Full());
        BufferAttachment list = machine.attach(full, _ -> {});
        full.reservation().whileHeld(_ -> expect(Errno.EOPNOTSUPP, list::mapPhysical));
        assertThat(machine.broken()).containsExactly("IC-6", "IC-6");
        assertThat(machine.last().owner()).isEqualTo("nvme");
    }

    @Test
    @Rule("IC-1")
    void withoutTheSeriesThereIsNoNegotiation() {
        Offering exporter = new Offering(PAL);
        Buffer buffer = plain.export(exporter);
        expect(
                Errno.EOPNOTSUPP,
                () -> plain.nvme.mappingAttach(buffer, NVME, entries(PAL), null, null));
        assertThat(plain.attach(buffer).mappingType()).isEqualTo(SGT);
        assertThat(exporter.names()).containsExactly("attach");
    }

    @Test
    @Rule("RK-31")
    @Rule("IC-5")
    @Rule("IC-7")
    void thePrivateInterconnectIsForExportersThatItKnows() {
        TestExporter.Full exporter = new TestExporter.Full();
        BufferAttachment known = plain.attach(plain.export("vfio-pci", exporter), _ -> {});
        known.buffer()
                .reservation()
                .whileHeld(_ -> {
                    PhysicalList list = known.mapPhysical();
                    assertThat(list).isSameAs(exporter.ranges);
                    known.unmapPhysical(list);
                });
        assertThat(exporter.calls)
                .containsExactly("attach free", "mapPhysical held", "unmapPhysical held");
        BufferAttachment heap = plain.attach(plain.export("system", exporter), _ -> {});
        heap.buffer().reservation().whileHeld(_ -> expect(Errno.EOPNOTSUPP, heap::mapPhysical));
        BufferAttachment cannot =
                plain.attach(plain.export("vfio-pci", new TestExporter()), _ -> {});
        cannot.buffer().reservation().whileHeld(_ -> expect(Errno.EOPNOTSUPP, cannot::mapPhysical));
        assertThat(plain.broken()).isEmpty();
    }

    @Test
    @Rule("RK-31")
    void aRevokeRefusesRangesAndDoesNotWaitForThoseThatWereTold() {
        TestExporter.Full exporter = new TestExporter.Full();
        Buffer buffer = plain.export("vfio-pci", exporter);
        BufferAttachment attachment = plain.attach(buffer, _ -> {});
        buffer.reservation().whileHeld(_ -> attachment.mapPhysical());
        plain.heap.revoke(buffer, false);
        buffer.reservation().whileHeld(_ -> expect(Errno.ENODEV, attachment::mapPhysical));
        plain.nvme.detach(buffer, attachment);
        assertThat(plain.broken()).isEmpty();
    }

    @Test
    @Rule("DB-26")
    void rangesThatAreStillReliedOnAreReportedAtDetach() {
        Buffer buffer = plain.export("vfio-pci", new TestExporter.Full());
        BufferAttachment attachment = plain.attach(buffer, _ -> {});
        buffer.reservation().whileHeld(_ -> attachment.mapPhysical());
        plain.nvme.detach(buffer, attachment);
        assertThat(plain.broken()).containsExactly("DB-26");
    }
}
