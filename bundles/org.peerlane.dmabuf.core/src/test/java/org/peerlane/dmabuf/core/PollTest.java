package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.kernel.api.OpenFile.PollWaiter;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Poll")
class PollTest {
    private static final int IN = OpenFile.POLLIN;
    private static final int OUT = OpenFile.POLLOUT;

    private final TestMachine machine = new TestMachine(new LiveExecution("poll"));
    private final TestExporter exporter = new TestExporter();
    private final Buffer buffer = machine.export(exporter);
    private final AtomicInteger woken = new AtomicInteger();

    @Test
    @Rule("DB-65")
    @Rule("DB-66")
    @Rule("dma-buf:T-6")
    @Rule("dma-buf:T-7")
    void inWaitsForWritersAndOutForReadersToo() {
        assertThat(buffer.poll(IN | OUT | 0x20)).isEqualTo(IN | OUT);
        assertThat(buffer.poll(0)).isZero();
        Fence read = machine.fence(buffer, FenceUsage.READ);
        assertThat(buffer.poll(IN | OUT)).isEqualTo(IN);
        read.signal();
        assertThat(buffer.poll(IN | OUT)).isEqualTo(IN | OUT);
        for (FenceUsage usage : List.of(FenceUsage.WRITE, FenceUsage.KERNEL)) {
            Fence fence = machine.fence(buffer, usage);
            assertThat(buffer.poll(IN | OUT)).isZero();
            fence.signal();
        }
        machine.fence(buffer, FenceUsage.BOOKKEEP);
        assertThat(buffer.poll(IN | OUT)).isEqualTo(IN | OUT);
    }

    @Test
    @Rule("DB-65")
    @Rule("DB-10")
    void anArmedCallbackSitsOnTheFirstFenceOnlyAndHoldsTheBuffer() {
        Fence first = machine.fence(buffer, FenceUsage.WRITE);
        Fence second = machine.fence(buffer, FenceUsage.WRITE);
        PollWaiter waiter = woken::incrementAndGet;
        assertThat(buffer.poll(OUT, waiter)).isZero();
        assertThat(buffer.references()).isEqualTo(2);
        second.signal();
        assertThat(woken).hasValue(0);
        first.signal();
        assertThat(woken).hasValue(1);
        assertThat(buffer.references()).isEqualTo(1);
        assertThat(buffer.poll(OUT, waiter)).isEqualTo(OUT);
        assertThat(buffer.cancelPoll(waiter)).isFalse();
        assertThat(buffer.polls().armed()).isZero();
    }

    @Test
    @Rule("DB-65")
    void whoIsWokenLooksAgainAndArmsOnTheNext() {
        Fence first = machine.fence(buffer, FenceUsage.WRITE);
        Fence second = machine.fence(buffer, FenceUsage.WRITE);
        PollWaiter waiter = woken::incrementAndGet;
        buffer.poll(IN, waiter);
        first.signal();
        assertThat(buffer.poll(IN, waiter)).isZero();
        second.signal();
        assertThat(woken).hasValue(2);
        assertThat(buffer.poll(IN, waiter)).isEqualTo(IN);
    }

    @Test
    @Rule("DB-65")
    void oneCallbackPerDirectionServesAllPollers() {
        Fence write = machine.fence(buffer, FenceUsage.WRITE);
        PollWaiter one = woken::incrementAndGet;
        PollWaiter two = () -> woken.addAndGet(10);
        buffer.poll(IN, one);
        buffer.poll(IN, two);
        assertThat(buffer.polls().armed()).isEqualTo(1);
        buffer.poll(OUT, two);
        assertThat(buffer.polls().armed()).isEqualTo(2);
        assertThat(buffer.references()).isEqualTo(3);
        write.signal();
        assertThat(woken).hasValue(11);
        assertThat(buffer.references()).isEqualTo(1);
    }

    @Test
    @Rule("DB-65")
    void whoCancelsIsNotWoken() {
        Fence write = machine.fence(buffer, FenceUsage.WRITE);
        PollWaiter waiter = woken::incrementAndGet;
        buffer.poll(IN, waiter);
        assertThat(buffer.cancelPoll(waiter)).isTrue();
        write.signal();
        assertThat(woken).hasValue(0);
        assertThat(buffer.references()).isEqualTo(1);
    }

    @Test
    @Rule("DB-65")
    void aPollerThatThrowsIsReportedAndTheOthersAreWoken() {
        Fence write = machine.fence(buffer, FenceUsage.WRITE);
        buffer.poll(
                IN,
                () -> {
                    throw new IllegalArgumentException("closed");
                });
        buffer.poll(IN, woken::incrementAndGet);
        write.signal();
        assertThat(woken).hasValue(1);
        assertThat(machine.broken()).containsExactly("CK-7");
    }

    @Explore(schedules = 500)
    @Rule("DB-65")
    @Rule("DB-11")
    @Rule("CK-40")
    void theLastReferenceOfAnArmedPollIsPutOutsideOfTheFencesCallback(Execution execution)
            throws Exception {
        TestMachine its = new TestMachine(execution);
        NamedLock lock = execution.lock("test.released");
        var released = lock.newCondition("released");
        List<String> order = new ArrayList<>();
        TestExporter sleepy = new TestExporter();
        sleepy.before =
                (_, _) -> {
                    its.core.services().checks.mightSleep("heap", "release");
                    lock.lock();
                    order.add("released");
                    released.signalAll();
                    lock.unlock();
                };
        Buffer shared = its.export(sleepy);
        Fence write = its.fence(shared, FenceUsage.WRITE);
        shared.poll(IN, () -> {});
        shared.put();
        assertThat(sleepy.calls).isEmpty();
        write.signal();
        lock.lock();
        while (order.isEmpty()) {
            released.await();
        }
        lock.unlock();
        assertThat(its.broken()).isEmpty();
        assertThat(((CoreFence) write).references()).isLessThanOrEqualTo(2);
    }

    @Explore(schedules = 10_000)
    @Rule("DB-65")
    void noSignalIsMissed(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        Fence one = its.fence(shared, FenceUsage.WRITE);
        Fence two = its.fence(shared, FenceUsage.READ);
        List<EmulatedThread> threads = new ArrayList<>();
        for (int events : new int[] {IN, OUT, IN | OUT}) {
            threads.add(
                    its.start("poller" + events, () -> pollUntilReady(execution, shared, events)));
        }
        threads.add(its.start("gpu", one::signal));
        two.signal();
        for (EmulatedThread thread : threads) {
            TestMachine.join(thread);
        }
        assertThat(shared.references()).isEqualTo(1);
        assertThat(its.broken()).isEmpty();
    }

    private static void pollUntilReady(Execution execution, Buffer shared, int events) {
        NamedLock lock = execution.lock("test.poller");
        var wake = lock.newCondition("woken");
        int[] wakes = {0};
        PollWaiter waiter =
                () -> {
                    lock.lock();
                    wakes[0]++;
                    wake.signalAll();
                    lock.unlock();
                };
        int seen = 0;
        while (shared.poll(events, waiter) == 0) {
            lock.lock();
            while (wakes[0] == seen) {
                wake.awaitUninterruptibly();
            }
            seen = wakes[0];
            lock.unlock();
        }
    }
}
