package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.map;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.testkit.Rule;

/** The table of section 1.6, row by row. */
@DisplayName("Who must hold the reservation")
class LockRulesTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("locks"));
    private final TestExporter.Full exporter = new TestExporter.Full();
    private final Buffer buffer = machine.export("vfio-pci", exporter);
    private final BufferAttachment attachment = machine.attach(buffer, _ -> {});

    /** A call of the table. */
    interface Call {
        void on(LockRulesTest test);
    }

    static Stream<Arguments> held() {
        return Stream.of(
                row("pin", t -> t.attachment.pin()),
                row("unpin", t -> t.attachment.unpin()),
                row("map", t -> t.attachment.map(DmaDirection.TO_DEVICE)),
                row(
                        "unmap",
                        t -> {
                            BufferMapping mapping = map(t.attachment);
                            t.attachment.unmap(mapping, mapping.direction());
                        }),
                row("mapPhysical", t -> t.attachment.mapPhysical()),
                row("mappings", t -> t.attachment.mappings()),
                row("attachments", t -> t.buffer.attachments()),
                row("vmap", t -> t.buffer.vmap()),
                row(
                        "vunmap",
                        t -> {
                            t.buffer.reservation().whileHeld(_ -> t.buffer.vmap());
                            t.buffer.vunmap(t.exporter.map);
                        }),
                row("invalidateMappings", t -> t.machine.heap.invalidateMappings(t.buffer)));
    }

    static Stream<Arguments> free() {
        return Stream.of(
                row("attach", t -> t.machine.attach(t.buffer)),
                row("detach", t -> t.machine.nvme.detach(t.buffer, t.attachment)),
                row("mapUnlocked", t -> map(t.attachment)),
                row(
                        "unmapUnlocked",
                        t -> {
                            var mapping = t.attachment.map(DmaDirection.TO_DEVICE);
                            t.attachment.unmapUnlocked(mapping, DmaDirection.TO_DEVICE);
                        }),
                row("fd", t -> t.machine.heap.fd(new FileTable("p"), t.buffer, 0)),
                row(
                        "put",
                        t -> {
                            t.buffer.get();
                            t.machine.heap.put(t.buffer);
                        }),
                row("begin", t -> t.buffer.beginCpuAccess(DmaDirection.TO_DEVICE)),
                row("end", t -> t.buffer.endCpuAccess(DmaDirection.TO_DEVICE)),
                row(
                        "export",
                        t ->
                                t.machine.heap.export(
                                        new ExportInfo(
                                                "gpu",
                                                t.exporter,
                                                4096,
                                                2,
                                                t.buffer.reservation(),
                                                "data"))));
    }

    private static Arguments row(String name, Call call) {
        return Arguments.of(name, call);
    }

    @ParameterizedTest(name = "{0} without it")
    @MethodSource("held")
    @Rule("CK-16")
    @Rule("DB-70")
    void callsThatNeedItReportWhoDoesNotHoldIt(String name, Call call) {
        attachment.pinCount().incrementAndGet();
        call.on(this);
        assertThat(machine.broken()).as(name).containsExactly("CK-16");
        assertThat(machine.last().buffer()).isEqualTo(buffer.id());
    }

    @ParameterizedTest(name = "{0} with it")
    @MethodSource("held")
    @Rule("CK-16")
    void callsThatNeedItReportNothingOfWhoHoldsIt(String name, Call call) {
        if (name.startsWith("un") || name.equals("vunmap")) {
            return; // their set-up takes it
        }
        attachment.pinCount().incrementAndGet();
        buffer.reservation().whileHeld(_ -> call.on(this));
        assertThat(machine.broken()).as(name).isEmpty();
    }

    @ParameterizedTest(name = "{0} with it")
    @MethodSource("free")
    @Rule("CK-17")
    @Rule("DB-70")
    void callsThatMustNotHoldItReportWhoDoes(String name, Call call) {
        buffer.reservation()
                .whileHeld(_ -> {
                    try {
                        call.on(this);
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessageContaining("wait for ever");
                    }
                });
        assertThat(machine.broken()).as(name).containsExactly("CK-17");
        assertThat(buffer.attached().snapshot()).containsExactly(attachment);
    }

    @Test
    @Rule("DB-70")
    void callbacksAreEnteredAsTheTableSays() {
        BufferAttachment still = machine.attach(buffer);
        TestMachine.unmap(map(still));
        machine.nvme.detach(buffer, still);
        buffer.beginCpuAccess(DmaDirection.TO_DEVICE);
        buffer.endCpuAccess(DmaDirection.TO_DEVICE);
        buffer.reservation()
                .whileHeld(_ -> {
                    IoSysMap map = buffer.vmap();
                    buffer.vunmap(map);
                });
        machine.nvme.detach(buffer, attachment);
        buffer.put();
        assertThat(exporter.calls)
                .isEqualTo(
                        List.of(
                                "attach free",
                                "attach free",
                                "pin held",
                                "map held",
                                "unmap held",
                                "unpin held",
                                "detach free",
                                "begin free",
                                "end free",
                                "vmap held",
                                "vunmap held",
                                "detach free",
                                "release free"));
    }

    @Test
    @Rule("CK-17")
    void anExportersCallbackThatKeepsTheReservationIsReported() {
        exporter.before =
                (name, _) -> {
                    if (name.equals("begin")) {
                        buffer.reservation().lock(null);
                    }
                };
        buffer.beginCpuAccess(DmaDirection.TO_DEVICE);
        assertThat(machine.broken()).containsExactly("CK-17");
        assertThat(machine.last().owner()).isEqualTo("heap");
        assertThat(machine.last().sentence()).contains("returned with it held");
        buffer.reservation().unlock();
    }
}
