package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.map;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.AttachOperations.InvalidateMappings;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("What runs on after an importer's callback")
class CallbackDrainTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("drain"));
    private final Buffer buffer = machine.export(new TestExporter());

    /** Reserves in its callback, which fails when injected; says what runs. */
    private final class Importer implements InvalidateMappings {
        final AtomicLong running = new AtomicLong(-1);
        boolean again;
        boolean drains;

        @Override
        public void invalidateMappings(Attachment attachment) {
            Reservation reservation = attachment.buffer().reservation();
            if (!reserve(reservation)) {
                if (again) {
                    reservation.reserveFences(1);
                } else {
                    running.updateAndGet(before -> drains ? 0 : before);
                    return;
                }
            }
            reservation.addFence(machine.fence(), FenceUsage.BOOKKEEP);
            running.updateAndGet(before -> Math.min(before, 0));
        }

        @Override
        public long inFlight(Attachment attachment) {
            return running.get();
        }
    }

    private static boolean reserve(Reservation reservation) {
        try {
            reservation.reserveFences(1);
            return true;
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
            return false;
        }
    }

    /** Invalidates; the first so many reservations of slots fail. */
    private void invalidate(int failures) {
        int[] times = new int[1];
        try (var _ =
                machine.execution
                        .checkpoints()
                        .arm(
                                "dmabuf.resv.reserve",
                                () -> {
                                    if (times[0]++ < failures) {
                                        throw new ErrnoException(Errno.ENOMEM, "injected");
                                    }
                                })) {
            machine.invalidate(buffer);
        }
    }

    @Test
    @Rule("CK-64")
    @Rule("DY-40")
    @Rule("dma-buf:T-17")
    void accessAfterACallbackThatCouldNotReserveIsReported() {
        Importer importer = new Importer();
        BufferMapping mapping = map(machine.attach(buffer, importer));
        mapping.accessed();
        invalidate(1);
        assertThat(machine.broken()).isEmpty();
        mapping.accessed();
        assertThat(machine.broken()).containsExactly("CK-64");
        assertThat(machine.last().owner()).isEqualTo("nvme");
        assertThat(machine.last().mapping()).isEqualTo(mapping.id());
        BufferMapping fresh = map(mapping.attachment());
        fresh.accessed();
        assertThat(machine.broken()).hasSize(1);
    }

    @Test
    @Rule("CK-64")
    @Rule("DY-40")
    void whatTheImporterSaysStillRunsIsReportedAtOnce() {
        Importer importer = new Importer();
        importer.running.set(3);
        machine.attach(buffer, importer);
        invalidate(1);
        assertThat(machine.broken()).containsExactly("CK-64");
        assertThat(machine.last().sentence()).contains("3 accesses");
    }

    @Test
    @Rule("DY-40")
    @Rule("dma-buf:T-17")
    void whoDrainsOrReservesAfterAllIsNotReported() {
        Importer draining = new Importer();
        draining.running.set(3);
        draining.drains = true;
        machine.attach(buffer, draining);
        invalidate(1);
        Importer again = new Importer();
        again.again = true;
        BufferMapping mapping = map(machine.attach(buffer, again));
        draining.running.set(-1);
        invalidate(2); // both fail, and the second tries again
        mapping.accessed();
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DY-2")
    void runningAccessWithoutAFenceIsReportedWithoutAFailureToo() {
        machine.attach(
                buffer,
                new InvalidateMappings() {
                    @Override
                    public void invalidateMappings(Attachment attachment) {}

                    @Override
                    public long inFlight(Attachment attachment) {
                        return 1;
                    }
                });
        machine.invalidate(buffer);
        assertThat(machine.broken()).containsExactly("DY-2");
    }
}
