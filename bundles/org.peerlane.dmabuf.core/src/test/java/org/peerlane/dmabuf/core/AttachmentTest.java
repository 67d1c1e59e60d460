package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.NVME;
import static org.peerlane.dmabuf.core.TestMachine.expect;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Attach and detach")
class AttachmentTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("attach"));
    private final TestExporter exporter = new TestExporter();
    private final Buffer buffer = machine.export(exporter);

    @Test
    @Rule("DB-20")
    void withoutBufferOrDeviceNothingIsAttached() {
        expect(Errno.EINVAL, () -> machine.nvme.attach(null, NVME));
        expect(Errno.EINVAL, () -> machine.nvme.attach(buffer, null));
        assertThat(machine.broken()).containsExactly("DB-20", "DB-20");
        assertThat(machine.last().owner()).isEqualTo("nvme");
        assertThat(exporter.calls).isEmpty();
    }

    @Test
    @Rule("DB-21")
    void operationsWithoutACallbackNeed71() {
        Attachment attachment =
                machine.nvme.dynamicAttach(buffer, NVME, new AttachOperations(false, null), null);
        assertThat(attachment.isDynamic()).isTrue();
        assertThat(attachment.isRevocable()).isFalse();
        TestMachine old = new TestMachine(new LiveExecution("7.0"), "7.0", null);
        Buffer its = old.export(exporter);
        expect(
                Errno.EINVAL,
                () -> old.nvme.dynamicAttach(its, NVME, new AttachOperations(false, null), null));
        assertThat(old.broken()).containsExactly("DB-21");
    }

    @Test
    @Rule("DY-20")
    void revocableIsWhoHasACallback() {
        assertThat(machine.attach(buffer).isRevocable()).isFalse();
        assertThat(machine.attach(buffer, _ -> {}).isRevocable()).isTrue();
    }

    @Test
    @Rule("DB-22")
    void theExporterLowersPeer2peerInsideAttachOnly() {
        List<Boolean> seen = new ArrayList<>();
        exporter.before =
                (name, attachment) -> {
                    if (name.equals("attach") && attachment != null) {
                        seen.add(attachment.peer2peer());
                        attachment.clearPeer2Peer();
                    }
                };
        assertThat(machine.attach(buffer, _ -> {}).peer2peer()).isFalse();
        assertThat(seen).containsExactly(true);
        exporter.before = (_, _) -> {};
        BufferAttachment peer = machine.attach(buffer, _ -> {});
        assertThat(peer.peer2peer()).isTrue();
        assertThat(machine.attach(buffer).peer2peer()).isFalse();
        assertThat(machine.broken()).isEmpty();
        peer.clearPeer2Peer();
        assertThat(machine.broken()).containsExactly("DB-22");
    }

    @Test
    @Rule("DB-23")
    @Rule("CK-66")
    void whatTheExporterAnswersComesBackAndNothingStays() {
        exporter.before =
                (_, _) -> {
                    throw new ErrnoException(Errno.EBUSY, "out of reach");
                };
        expect(Errno.EBUSY, () -> machine.attach(buffer));
        assertThat(exporter.calls).containsExactly("attach free");
        assertThat(buffer.attached().snapshot()).isEmpty();
        assertThat(machine.nvme.attachments()).isEmpty();
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DB-23")
    void anExporterThatThrowsAnythingElseIsNamedAndTheImporterGetsEio() {
        exporter.before =
                (_, _) -> {
                    throw new AssertionError("oops");
                };
        expect(Errno.EIO, () -> machine.attach(buffer));
        assertThat(machine.broken()).containsExactly("CK-7");
        assertThat(machine.last().owner()).isEqualTo("heap");
        assertThat(buffer.attached().snapshot()).isEmpty();
        assertThat(machine.nvme.attachments()).isEmpty();
    }

    @Test
    @Rule("DB-24")
    void anInvalidationReachesItAsSoonAsItIsListedAndNotBefore() {
        List<String> told = new ArrayList<>();
        exporter.before = (_, _) -> machine.invalidate(buffer);
        machine.execution
                .checkpoints()
                .arm("dmabuf.attach.listed", () -> machine.invalidate(buffer));
        machine.attach(buffer, attachment -> told.add(attachment.importerPrivate() + ""));
        assertThat(told).containsExactly("private");
    }

    @Test
    @Rule("DB-24")
    void nothingIsMappedBeforeItIsListed() {
        exporter.before =
                (name, attachment) -> {
                    if (name.equals("attach") && attachment != null) {
                        TestMachine.map(attachment);
                    }
                };
        expect(Errno.EINVAL, () -> machine.attach(buffer));
        assertThat(machine.broken()).containsExactly("DB-24");
    }

    @Test
    @Rule("DB-25")
    void afterDetachNobodyIsTold() {
        List<String> told = new ArrayList<>();
        BufferAttachment attachment = machine.attach(buffer, _ -> told.add("told"));
        machine.nvme.detach(buffer, attachment);
        machine.invalidate(buffer);
        assertThat(told).isEmpty();
        assertThat(exporter.calls).containsExactly("attach free", "detach free");
        assertThat(machine.nvme.attachments()).isEmpty();
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DB-25")
    @Rule("CK-6")
    void onlyWhatIsAttachedIsDetachedAndOnce() {
        Buffer other = machine.export(exporter);
        BufferAttachment attachment = machine.attach(buffer);
        machine.nvme.detach(null, attachment);
        machine.nvme.detach(buffer, null);
        machine.nvme.detach(other, attachment);
        assertThat(machine.broken()).containsExactly("DB-25", "DB-25", "DB-25");
        assertThat(buffer.attached().snapshot()).containsExactly(attachment);
        machine.nvme.detach(buffer, attachment);
        machine.nvme.detach(buffer, attachment);
        assertThat(machine.broken()).endsWith("CK-6");
        assertThat(exporter.names()).containsOnlyOnce("detach");
    }

    @Test
    @Rule("DB-26")
    @Rule("CK-14")
    void detachWithMappingsOrPinsIsReported() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        BufferMapping mapping = TestMachine.map(attachment);
        buffer.reservation().whileHeld(_ -> attachment.pin());
        machine.nvme.detach(buffer, attachment);
        assertThat(machine.broken()).containsExactly("DB-26", "CK-14");
        assertThat(machine.core.violations().getFirst().mapping()).isEqualTo(mapping.id());
        assertThat(machine.last().severity()).isEqualTo(Severity.FATAL);
    }

    @Test
    @Rule("DB-20")
    void aBundleThatLeavesAttachesNothing() {
        machine.nvme.close();
        expect(Errno.ENODEV, () -> machine.attach(buffer));
        assertThat(exporter.calls).isEmpty();
    }

    @Test
    @Rule("CK-66")
    void anAttachThatFailedIsNotTheBundlesWhenItLeaves() {
        exporter.before =
                (_, _) -> {
                    throw new ErrnoException(Errno.EBUSY, "no way");
                };
        expect(Errno.EBUSY, () -> machine.attach(buffer));
        machine.nvme.close();
        assertThat(machine.broken()).isEmpty();
        assertThat(machine.core.departures()).isEmpty();
    }

    @Test
    @Rule("CK-6")
    void whatABundleHasNotGivenBackIsNamedWhenItLeaves() {
        BufferAttachment attachment = machine.attach(buffer);
        machine.nvme.close();
        assertThat(machine.broken()).containsExactly("CK-6");
        assertThat(machine.last().sentence()).contains("nvme").contains(attachment.toString());
    }

    @Test
    @Rule("DY-10")
    void attachmentsAreListedInTheOrderInWhichTheyCame() {
        List<BufferAttachment> made = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            made.add(machine.attach(buffer, _ -> {}));
        }
        machine.nvme.detach(buffer, made.remove(2));
        buffer.reservation()
                .whileHeld(_ -> assertThat(buffer.attachments()).isEqualTo(List.copyOf(made)));
    }
}
