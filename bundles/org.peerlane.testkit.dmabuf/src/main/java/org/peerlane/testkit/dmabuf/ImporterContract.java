package org.peerlane.testkit.dmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What every exporter relies on. A test class of an importer implements this and says how the
 * importer takes a buffer, uses it and lets go; JUnit runs the rest, with a {@link MockExporter} on
 * the other side.
 *
 * <p><b>Life.</b> A new machine and a new importer for each test.
 */
public interface ImporterContract {
    /** {@return the machine, the same during one test} */
    DmaBufMachine machine();

    /** Takes a buffer: attaches its device, with a reference of its own. */
    void take(DmaBuf buffer);

    /**
     * Uses it once: maps if that is needed, and has the device read or write. May return while the
     * device is at work.
     *
     * @throws ErrnoException what map has answered
     */
    void use();

    /** Waits until its device is idle. */
    void idle();

    /** Lets go of the buffer: unmaps, detaches, puts. Its device is idle. */
    void release();

    /** {@return whether it can be told that its mappings are stale} */
    boolean isDynamic();

    /** {@return how long anything may take} */
    default long limitNanos() {
        return 10_000_000_000L;
    }

    /** {@return bytes of the buffers that it is given} */
    default long bytes() {
        return 0x10_0000;
    }

    private MockExporter export() {
        return new MockExporter(
                machine().bundles().apply("test.exporter"), machine().execution(), bytes());
    }

    /** The end of each test: nothing is left, and nobody has broken a rule. */
    private void finish(MockExporter exporter) {
        exporter.put();
        assertThat(exporter.left()).isEmpty();
        assertThat(machine().buffers()).as("buffers that are left").isEmpty();
        assertThat(exporter.count(Step.RELEASE)).isEqualTo(1);
        assertThat(machine().violations()).isEmpty();
    }

    private void done(MockExporter exporter) {
        idle();
        release();
        finish(exporter);
    }

    /** DB-10, DB-25, DB-36: it gives back what it has taken. */
    @Test
    default void whatItHasTakenItGivesBack() {
        MockExporter exporter = export();
        for (int round = 0; round < 2; round++) {
            take(exporter.buffer());
            use();
            idle();
            use();
            idle();
            release();
        }
        finish(exporter);
    }

    /** DB-10: it may be told to let go before it has used anything. */
    @Test
    default void itMayLetGoAtOnce() {
        MockExporter exporter = export();
        take(exporter.buffer());
        release();
        finish(exporter);
    }

    /** DB-34, DB-43: what map refuses reaches its user, leaves nothing behind, and may pass. */
    @Test
    default void aMapThatFailsLeavesNothingBehind() {
        for (Errno errno : new Errno[] {Errno.ENOMEM, Errno.EINTR, Errno.EAGAIN, Errno.ENODEV}) {
            MockExporter exporter = export();
            take(exporter.buffer());
            exporter.failNext(Step.MAP, errno);
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(this::use)
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
            assertThat(exporter.buffer().reservation().isLocked()).isFalse();
            use();
            done(exporter);
        }
    }

    /** DB-20: an attach that fails leaves nothing behind. */
    @Test
    default void anAttachThatFailsLeavesNothingBehind() {
        MockExporter exporter = export();
        exporter.failNext(Step.ATTACH, Errno.EBUSY);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> take(exporter.buffer()))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        finish(exporter);
    }

    /** DB-38, DB-45: any number of runs is a legal answer. */
    @Test
    default void itTakesAnyNumberOfRuns() {
        for (int runs : new int[] {1, 2, 7, 256}) {
            MockExporter exporter = export();
            exporter.answer(() -> exporter.table(runs));
            take(exporter.buffer());
            use();
            done(exporter);
        }
    }

    /** 1.6: it holds no reservation when it returns. */
    @Test
    default void itHoldsNoReservationWhenItReturns() {
        MockExporter exporter = export();
        take(exporter.buffer());
        use();
        assertThat(exporter.buffer().reservation().isHeld()).isFalse();
        done(exporter);
    }

    /** DY-1 to DY-8: it stops within its fences, and uses the new place afterwards. */
    @Test
    default void itFollowsAMove() {
        assumeTrue(isDynamic(), "it cannot be told");
        MockExporter exporter = export();
        take(exporter.buffer());
        for (int round = 0; round < 3; round++) {
            use();
            machine().within(limitNanos(), "a move", exporter::move);
            use();
            idle();
        }
        assertThat(exporter.count(Step.MAP)).isGreaterThan(1);
        done(exporter);
    }

    /** DY-1: it may be told with nothing mapped, and again and again. */
    @Test
    default void itMayBeToldAtAnyTime() {
        assumeTrue(isDynamic(), "it cannot be told");
        MockExporter exporter = export();
        take(exporter.buffer());
        Runnable storm =
                () -> {
                    for (int i = 0; i < 20; i++) {
                        exporter.invalidate();
                    }
                };
        machine().within(limitNanos(), "20 invalidations with nothing mapped", storm);
        use();
        idle();
        machine().within(limitNanos(), "20 invalidations in a row", storm);
        use();
        done(exporter);
    }

    /** RK-3, RK-4: it gives its addresses back when access is taken away, unasked. */
    @Test
    default void itUnmapsWhenItIsRevoked() {
        assumeTrue(isDynamic(), "it cannot be told");
        MockExporter exporter = export();
        take(exporter.buffer());
        use();
        machine().within(limitNanos(), "a revoke", () -> exporter.revoke(false));
        BufferInfo info = machine().debug().buffer(exporter.buffer().id());
        assertThat(info.attachments()).allSatisfy(a -> assertThat(a.mappings()).isEmpty());
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(this::use)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        exporter.unrevoke();
        use();
        done(exporter);
    }
}
