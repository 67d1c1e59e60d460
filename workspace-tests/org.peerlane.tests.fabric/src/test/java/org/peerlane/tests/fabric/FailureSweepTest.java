package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.MockExporter;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.testkit.dmabuf.MockImporter.Behaviour;
import org.peerlane.testkit.dmabuf.MockImporter.Kind;

/**
 * The first thing that can fail fails, then the second, and so on until nothing fails any more:
 * after each run nothing is left, and the same objects work.
 */
@DisplayName("The n-th failure")
class FailureSweepTest {
    private static final int MOST = 100;

    /** Where the core itself can be short of memory. */
    private static final List<String> ALLOCATIONS =
            List.of(
                    "dmabuf.resv.reserve",
                    "dmabuf.map.entered",
                    "dmabuf.map.after-pin",
                    "dmabuf.map.after-map",
                    "dmabuf.map.done",
                    "dmabuf.attach.asked");

    private final LiveExecution execution = new LiveExecution("sweep");
    private final DmaBufMachine machine = Mocks.machine(execution);
    private final MockExporter exporter =
            new MockExporter(machine.bundles().apply("exporter"), execution, 0x4000);
    private final DmaBuf buffer = exporter.buffer();

    @AfterEach
    void stop() {
        execution.close();
    }

    /** Everything once, with one importer of each kind; what fails is undone from where it is. */
    private void cycle(Kind kind, boolean moves) {
        MockImporter importer = machine.importer("device", kind);
        importer.behave(Behaviour.PROMPT);
        importer.attach(buffer);
        try {
            importer.map(DmaDirection.BIDIRECTIONAL);
            importer.begin(FenceUsage.WRITE);
            buffer.reservation().waitTimeout(FenceUsage.KERNEL, false, 1);
            if (moves) {
                exporter.move();
            }
            importer.end();
            buffer.beginCpuAccess(DmaDirection.BIDIRECTIONAL);
            buffer.endCpuAccess(DmaDirection.BIDIRECTIONAL);
            importer.map(DmaDirection.TO_DEVICE);
        } finally {
            importer.end();
            importer.detach();
        }
    }

    private void nothingIsLeft(String after) {
        BufferInfo info = machine.debug().buffer(buffer.id());
        assertThat(exporter.left()).as(after).isEmpty();
        assertThat(info.attachments()).as(after).isEmpty();
        assertThat(info.pins()).as(after).isZero();
        assertThat(info.fences()).as(after).isEmpty();
        assertThat(info.references()).as(after).isEqualTo(1);
        assertThat(info.lockHolder()).as(after).isNull();
        assertThat(machine.violations()).as(after).isEmpty();
    }

    private static boolean moves(Kind kind) {
        return kind == Kind.DYNAMIC;
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    @Rule("CK-6")
    @Rule("CK-7")
    @Rule("CK-66")
    void ofAnExportersCallbacksLeavesNothing(Kind kind) {
        List<Errno> seen = new ArrayList<>();
        for (int n = 1; n < MOST; n++) {
            exporter.failNth(n, Errno.ENOSPC);
            try {
                cycle(kind, moves(kind));
            } catch (ErrnoException e) {
                seen.add(e.errno());
            }
            boolean failed = exporter.hasFailed();
            exporter.failNth(0, Errno.ENOSPC);
            nothingIsLeft("after failure " + n);
            cycle(kind, moves(kind));
            nothingIsLeft("after a run without failure");
            if (!failed) {
                assertThat(seen).hasSize(n - 1).containsOnly(Errno.ENOSPC);
                assertThat(n).as("calls that could fail").isGreaterThan(4);
                return;
            }
        }
        throw new AssertionError("there is no end of what can fail");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    @Rule("CK-6")
    void ofMemoryOfTheCoreLeavesNothing(Kind kind) {
        for (String allocation : ALLOCATIONS) {
            int failures = 0;
            for (int n = 1; n < MOST; n++) {
                if (!fails(allocation, n, kind)) {
                    break;
                }
                failures++;
                nothingIsLeft("after failure %d of %s".formatted(n, allocation));
                cycle(kind, moves(kind));
            }
            nothingIsLeft("after " + allocation);
            assertThat(failures).as("failures of " + allocation).isBetween(1, 20);
        }
    }

    /** {@return whether the n-th time that a place was reached came, and failed} */
    private boolean fails(String place, int n, Kind kind) {
        int[] times = new int[1];
        try (Armed _ =
                execution
                        .checkpoints()
                        .arm(
                                place,
                                () -> {
                                    if (++times[0] == n) {
                                        throw new ErrnoException(Errno.ENOMEM, "injected");
                                    }
                                })) {
            cycle(kind, moves(kind));
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
        }
        return times[0] >= n;
    }

    @Test
    @Rule("DB-32")
    void ofManyImportersIsThatOnesAlone() {
        MockImporter steady = machine.importer("steady", Kind.DYNAMIC);
        steady.attach(buffer);
        steady.map(DmaDirection.BIDIRECTIONAL);
        exporter.failNth(1, Errno.EBUSY);
        MockImporter refused = machine.importer("refused", Kind.STATIC);
        try {
            refused.attach(buffer);
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.EBUSY);
        }
        assertThat(steady.attachment().pins()).isZero();
        steady.map(DmaDirection.TO_DEVICE);
        steady.detach();
        nothingIsLeft("after another's failure");
    }
}
