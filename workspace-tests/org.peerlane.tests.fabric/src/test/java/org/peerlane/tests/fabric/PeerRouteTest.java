package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.peerlane.tests.fabric.SharedVram.ITS;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Addresses of a peer's memory")
class PeerRouteTest {
    /** ACS redirects requests and completions of peers up. */
    private static final int REDIRECT = 1 << 2 | 1 << 3;

    private final LiveExecution execution = new LiveExecution("peer");

    @AfterEach
    void stop() {
        execution.close();
    }

    private static void redirect(SharedVram shared) {
        Registers.acs(shared.rig.function("sw0.0"), REDIRECT);
        Registers.acs(shared.rig.function("sw0.1"), REDIRECT);
    }

    private static long bar(SharedVram shared) {
        return shared.rig.function("gpu0").bar(2).first().value();
    }

    private static void write(SharedVram shared, DmaBufMapping mapping) {
        shared.importer.write(mapping.table().address(0), ITS, 64);
        assertThat(shared.importer.read(mapping.table().address(0), new byte[1])).isZero();
        assertThat(shared.first()).isEqualTo((byte) ITS);
        assertThat(shared.core.violations()).isEmpty();
    }

    @Test
    @Rule("dma-buf:T-26")
    void belowOneSwitchTheyAreBusAddresses() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            assertThat(mapping.table().address(0)).isEqualTo(bar(shared));
            write(shared, mapping);
            shared.finish(attachment, mapping);
        }
    }

    @Test
    @Rule("dma-buf:T-26")
    void throughAHostBridgeOnTheListTheyAreOfTheIommu() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            redirect(shared);
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            assertThat(mapping.table().address(0)).isNotEqualTo(bar(shared));
            write(shared, mapping);
            shared.finish(attachment, mapping);
        }
    }

    @Test
    @Rule("dma-buf:T-26")
    void throughOneThatNobodyKnowsThereAreNone() {
        HostBridgeConfig pc = HostBridgeConfig.DEFAULT;
        HostBridgeConfig unknown =
                new HostBridgeConfig(
                        "unknown",
                        pc.segment(),
                        pc.firstBus(),
                        pc.lastBus(),
                        pc.lowFirst(),
                        pc.lowLast(),
                        pc.highFirst(),
                        pc.highLast(),
                        pc.ioFirst(),
                        pc.ioLast(),
                        pc.ecamBase(),
                        pc.busOffset(),
                        pc.p2pForwarding(),
                        false,
                        false);
        try (SharedVram shared = new SharedVram(execution, unknown, false)) {
            redirect(shared);
            Attachment attachment = shared.attach(_ -> {});
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL))
                    .withMessageContaining("host bridge unknown")
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
            assertThat(shared.core.violations()).isEmpty();
            shared.finish(attachment);
        }
    }
}
