package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.dmabuf.api.SyncFile.FenceInfo;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Sync files: FE-23 and UA-1. */
class SyncFileTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final FenceMachine machine = new FenceMachine(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    private SyncFile file(CoreFence fence) {
        return new CoreSyncFile(machine.fences, fence);
    }

    private static void assertFails(Errno errno, Runnable body) {
        assertThatThrownBy(body::run)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    @Rule("FE-23")
    @Rule("FE-41")
    void aSyncFileHoldsAndPublishesItsFence() {
        CoreFence fence = machine.next();
        SyncFile file = file(fence);
        assertThat(fence.references()).isEqualTo(2);
        assertThat(fence.isPublished()).isTrue();
        FileTable files = new FileTable("test");
        int fd = files.install(file);
        files.close(fd);
        assertThat(fence.references()).isEqualTo(1);
        assertThat(file.getUnlessZero()).isFalse();
    }

    @Test
    @Rule("FE-23")
    @Rule("UA-1")
    void theInfoListsEachLeafWithItsStatusAndTime() {
        CoreFence active = machine.alone();
        CoreFence fine = machine.alone();
        CoreFence failed = machine.alone();
        SyncFile file =
                file(active).merge("all", file(fine).merge("two", file(failed), 0, 0), 0, 0);
        fine.signalTimestamp(11);
        failed.setError(Errno.EIO);
        failed.signalTimestamp(12);
        assertThat(file.info())
                .containsExactlyInAnyOrder(
                        new FenceInfo("copy", "gpu0", 0, 0),
                        new FenceInfo("signaled-timeline", "detached-driver", 1, 11),
                        new FenceInfo("signaled-timeline", "detached-driver", -5, 12));
        assertThat(file.status()).isZero();
        active.signal();
        assertThat(file.status()).isEqualTo(-5);
    }

    /** sync.export_idle.1 and sync.import_stub.1 of the golden table: status=1 num_fences=1. */
    @Test
    @Rule("FE-14")
    @Rule("UA-1")
    void aFileOfTheStubHasOneSignaledFence() {
        SyncFile file = new CoreSyncFile(machine.fences, machine.fences.stub());
        assertThat(file.status()).isEqualTo(1);
        assertThat(file.info()).hasSize(1);
        assertThat(file.poll(OpenFile.POLLIN | OpenFile.POLLOUT)).isEqualTo(OpenFile.POLLIN);
    }

    /** sync.two_write_fences of the golden table: two of one timeline count as one. */
    @Test
    @Rule("FE-22")
    void twoFencesOfOneTimelineMergeIntoTheLater() {
        CoreFence first = machine.next();
        CoreFence second = machine.next();
        SyncFile both = file(first).merge("both", file(second), 0, 0);
        assertThat(both.info()).hasSize(1);
        assertThat(both.fence()).isSameAs(second);
        first.signal();
        assertThat(both.status()).isZero();
        second.signal();
        assertThat(both.status()).isEqualTo(1);
        assertThat(file(first).merge("later", file(second), 0, 0).info()).hasSize(1);
    }

    @Test
    @Rule("UA-1")
    void aMergeRefusesFlagsPadAndWhatIsNoSyncFile() {
        SyncFile file = file(machine.next());
        SyncFile other = file(machine.alone());
        assertFails(Errno.EINVAL, () -> file.merge("m", other, 1, 0));
        assertFails(Errno.EINVAL, () -> file.merge("m", other, 0, 1));
        assertFails(Errno.ENOENT, () -> file.merge("m", null, 0, 0));
        assertFails(Errno.ENOENT, () -> file.merge("m", new NotASyncFile(), 0, 0));
        assertFails(Errno.EINVAL, () -> file.setDeadline(1, 1));
    }

    /** Some other file. */
    private static final class NotASyncFile implements OpenFile {
        @Override
        public String fileType() {
            return "zero";
        }

        @Override
        public void get() {}

        @Override
        public boolean getUnlessZero() {
            return true;
        }

        @Override
        public void put() {}

        @Override
        public int references() {
            return 1;
        }
    }

    @Test
    @Rule("UA-1")
    void aMergedFileHasTheNameItWasGivenUpTo31BytesAndOthersThatOfTheirFence() {
        CoreFence fence = machine.next();
        SyncFile file = file(fence);
        assertThat(file.name()).isEqualTo("gpu0-copy" + fence.context() + "-1");
        String name = "0123456789012345678901234567890123456789";
        assertThat(file.merge(name, file, 0, 0).name()).isEqualTo(name.substring(0, 31));
        assertThat(file.merge("0123456789012345678901234567\u20ac!", file, 0, 0).name())
                .isEqualTo("0123456789012345678901234567\u20ac");
        assertThat(file.merge("01234567890123456789012345678\u20ac", file, 0, 0).name())
                .isEqualTo("01234567890123456789012345678");
    }

    @Test
    @Rule("FE-15")
    @Rule("FE-23")
    void aDeadlineReachesTheIssuer() {
        file(machine.next()).setDeadline(5, 0);
        assertThat(machine.issuer.calls).containsExactly("deadline 5");
    }

    @Test
    @Rule("FE-23")
    void aFileIsReadableOnceItsFenceHasSignaledAndWhoPollsIsWoken() {
        CoreFence fence = machine.next();
        SyncFile file = file(fence);
        int[] woken = {0, 0};
        OpenFile.PollWaiter cancelled = () -> woken[1]++;
        assertThat(file.poll(OpenFile.POLLIN, () -> woken[0]++)).isZero();
        file.poll(OpenFile.POLLIN, cancelled);
        assertThat(file.cancelPoll(cancelled)).isTrue();
        assertThat(file.cancelPoll(cancelled)).isFalse();
        assertThat(machine.issuer.calls).containsExactly("enable");
        fence.signal();
        assertThat(woken).containsExactly(1, 0);
        assertThat(file.poll(OpenFile.POLLIN)).isEqualTo(OpenFile.POLLIN);
    }

    @Test
    @Rule("CK-41")
    void aClosedFileTakesItsCallbackAlong() {
        CoreFence fence = machine.next();
        SyncFile file = file(fence);
        int[] woken = {0};
        file.poll(OpenFile.POLLIN, () -> woken[0]++);
        file.put();
        assertThat(fence.isAwaited()).isFalse();
        fence.signal();
        assertThat(woken[0]).isZero();
    }

    @Explore(schedules = 10_000)
    @Rule("FE-23")
    void noPollMissesTheSignal(Execution simulated) throws InterruptedException {
        FenceMachine of = new FenceMachine(simulated, false, "7.3");
        CoreFence fence = of.next();
        SyncFile file = new CoreSyncFile(of.fences, fence);
        EmulatedThread signaller = simulated.start(ThreadKind.BLOCKING, "signaller", fence::signal);
        boolean[] woken = {false, false};
        int[] ready = {0, 0};
        List<EmulatedThread> pollers =
                List.of(
                        simulated.start(
                                ThreadKind.BLOCKING,
                                "one",
                                () -> ready[0] = file.poll(OpenFile.POLLIN, () -> woken[0] = true)),
                        simulated.start(
                                ThreadKind.BLOCKING,
                                "two",
                                () ->
                                        ready[1] =
                                                file.poll(OpenFile.POLLIN, () -> woken[1] = true)));
        signaller.join();
        for (EmulatedThread poller : pollers) {
            poller.join();
        }
        for (int i = 0; i < 2; i++) {
            assertThat(woken[i] || ready[i] == OpenFile.POLLIN).isTrue();
        }
    }
}
