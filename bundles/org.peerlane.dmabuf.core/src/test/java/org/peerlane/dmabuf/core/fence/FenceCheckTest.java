package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.core.fence.FenceMachine.Counter;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Who breaks the rules of fences is reported. */
class FenceCheckTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final FenceMachine machine = new FenceMachine(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    private Fence at(long seqno, boolean wide) {
        Fence fence = machine.fences.allocate(machine.issuer);
        if (wide) {
            machine.fences.init64(fence, machine.context, seqno);
        } else {
            machine.fences.init(fence, machine.context, seqno);
        }
        return fence;
    }

    @ParameterizedTest
    @Rule("FE-1")
    @Rule("FE-2")
    @CsvSource({
        "1, 2, false, true",
        "2, 1, false, false",
        "7, 7, false, false",
        "0xffffffff, 0, false, true",
        "0xffffffff, 0, true, false",
        "0, 0xffffffff, false, false",
        "0, 0xffffffff, true, true",
        "0x7fffffffffffffff, -0x8000000000000000, true, true",
        "-1, 0, true, false",
        "-1, 0, false, true"
    })
    void seqnosOfATimelineOnlyGoUpAndThoseOf32BitsWrapAround(
            String first, String second, boolean wide, boolean fine) {
        Fence a = at(Long.decode(first), wide);
        Fence b = at(Long.decode(second), wide);
        assertThat(machine.broken()).hasSize(fine ? 0 : 1).allMatch("FE-1"::equals);
        assertThat(machine.fences.isLater(b, a)).isEqualTo(fine);
    }

    @Test
    @Rule("FE-1")
    @Rule("CK-21")
    void fencesOfOneTimelineThatSignalOutOfOrderAreReported() {
        CoreFence first = machine.next();
        CoreFence second = machine.next();
        CoreFence other = machine.alone();
        second.signal();
        other.signal();
        assertThat(machine.broken()).isEmpty();
        first.signal();
        assertThat(machine.broken()).containsExactly("FE-1");
        assertThat(machine.lastSentence()).contains("seqno 1 ").contains("after 2");
    }

    @Test
    @Rule("FE-3")
    void neitherOfTwoTimelinesIsLater() {
        assertThat(machine.fences.isLater(machine.alone(), machine.alone())).isFalse();
        assertThat(machine.broken()).containsExactly("FE-3");
    }

    @Test
    @Rule("FE-64")
    void aFenceIsPutOnATimelineOnce() {
        CoreFence fence = machine.next();
        assertThatThrownBy(() -> machine.fences.init(fence, machine.context, 9))
                .isInstanceOf(IllegalStateException.class);
        assertThat(fence.seqno()).isEqualTo(1);
        assertThat(machine.broken()).containsExactly("FE-64");
    }

    @Test
    @Rule("FE-64")
    @Rule("CK-42")
    @Rule("FE-47")
    @Rule("FE-60")
    void aFenceThatIsOnNoTimelineYetCanOnlyBeLetGoOf() {
        CoreFence fence = (CoreFence) machine.fences.allocate(machine.issuer);
        assertThatThrownBy(fence::published).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(fence::signal).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> fence.addCallback(new Counter()))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> fence.waitTimeout(true, 1))
                .isInstanceOf(IllegalStateException.class);
        assertThat(machine.broken()).containsExactly("FE-64", "FE-64", "FE-64", "FE-64");
        fence.put();
        assertThat(machine.broken()).hasSize(4);
    }

    @Test
    @Rule("CK-35")
    @Rule("FE-63")
    @Rule("FE-64")
    void anAllocationBetweenInitAndPublicationIsReportedAndBeforeOrAfterNot() {
        CoreFence fence = (CoreFence) machine.fences.allocate(machine.issuer);
        machine.fences.mightAllocate("the request");
        machine.fences.init(fence, machine.context, 1);
        fence.published();
        machine.fences.mightAllocate("the next request");
        assertThat(machine.broken()).isEmpty();
        machine.fences.create(machine.issuer, machine.context, 2);
        machine.fences.mightAllocate("the request");
        assertThat(machine.broken()).containsExactly("CK-35");
        assertThat(machine.lastSentence()).startsWith("the request after fence ");
    }

    @Test
    @Rule("CK-32")
    @Rule("FE-44")
    @Rule("FE-46")
    @Rule("FE-61")
    void anAllocationOnTheWayToSignalIsReportedAtAnyDepth() {
        boolean outer = machine.fences.beginSignalling();
        boolean inner = machine.fences.beginSignalling();
        machine.fences.endSignalling(inner);
        machine.fences.mightAllocate("a command");
        machine.fences.endSignalling(outer);
        machine.fences.mightAllocate("a command");
        assertThat(machine.broken()).containsExactly("CK-32");
    }

    @Test
    @Rule("CK-33")
    @Rule("FE-43")
    @Rule("FE-46")
    void aLockUnderWhichOthersWaitIsReportedOnTheWayToSignal() {
        boolean cookie = machine.fences.beginSignalling();
        machine.checks.mightLock("gpu", "the reservation");
        machine.fences.endSignalling(cookie);
        machine.checks.mightLock("gpu", "the reservation");
        assertThat(machine.broken()).containsExactly("CK-33");
    }

    @Test
    @Rule("CK-40")
    @Rule("FE-4")
    void operationsAreCalledAsCallbacksAreAndMustNotSleep() {
        var sleeping =
                new FenceMachine.Issuer() {
                    @Override
                    public boolean enableSignaling(Fence fence) {
                        machine.fences.mightSleep("a mutex");
                        return true;
                    }

                    @Override
                    public boolean signaled(Fence fence) {
                        machine.fences.mightSleep("a mutex");
                        return false;
                    }
                };
        Fence fence = machine.fences.create(sleeping, machine.context, 1);
        fence.isSignaled();
        fence.enableSignaling();
        assertThat(machine.broken()).containsExactly("CK-40", "CK-40");
        machine.fences.mightSleep("a mutex");
        assertThat(machine.broken()).hasSize(2);
    }

    @Test
    @Rule("FE-49")
    void whoSignalsATimelineAndWaitsForItOnTheWayIsReported() {
        CoreFence done = machine.next();
        CoreFence next = machine.next();
        CoreFence other = machine.alone();
        boolean cookie = machine.fences.beginSignalling();
        done.signal();
        other.waitTimeout(false, 0);
        done.waitTimeout(false, 0);
        assertThat(machine.broken()).isEmpty();
        next.waitTimeout(false, 0);
        assertThat(machine.broken()).containsExactly("FE-49");
        machine.fences.endSignalling(cookie);
        next.waitTimeout(false, 0);
        assertThat(machine.broken()).containsExactly("FE-49");
    }

    @Explore(schedules = 100)
    @Rule("CK-31")
    @Rule("FE-40")
    @Rule("FE-66")
    void aPublishedFenceThatDoesNotSignalIsReportedOnceWithWhoMadeItAndOthersAreNot(
            Execution simulated) throws InterruptedException {
        FenceMachine of = new FenceMachine(simulated);
        CoreFence stuck = of.next();
        CoreFence inTime = of.next();
        CoreFence unpublished = of.alone();
        unpublished.addCallback(new Counter());
        stuck.published();
        inTime.published();
        simulated.sleep(9 * FenceMachine.SECOND);
        inTime.signal();
        assertThat(of.broken()).isEmpty();
        simulated.sleep(2 * FenceMachine.SECOND);
        assertThat(of.broken()).containsExactly("CK-31");
        assertThat(of.lastSentence())
                .contains("gpu0", "copy", "fence " + stuck.context() + ":1 of gpu")
                .contains("aPublishedFenceThatDoesNotSignal");
        CoreFence later = of.alone();
        later.published();
        simulated.sleep(30 * FenceMachine.SECOND);
        assertThat(of.broken()).containsExactly("CK-31", "CK-31");
    }

    @Explore(schedules = 100)
    @Rule("CK-31")
    void withoutUnsignaledFencesNothingIsPending(Execution simulated) throws InterruptedException {
        int[] timers = {0};
        Execution counting = new CountingTimers(simulated, timers);
        FenceMachine of = new FenceMachine(counting);
        for (int i = 0; i < 100; i++) {
            CoreFence fence = of.next();
            fence.published();
            fence.signal();
        }
        assertThat(timers[0]).isEqualTo(1);
        simulated.sleep(100 * FenceMachine.SECOND);
        assertThat(timers[0]).isEqualTo(1);
        FenceMachine off = new FenceMachine(counting, false, "7.3");
        off.next().published();
        assertThat(timers[0]).isEqualTo(1);
    }

    @Explore(schedules = 100)
    @Rule("FE-40")
    void anIssuerThatHangsSignalsByItsOwnTimeoutAndWaitersReturn(Execution simulated)
            throws InterruptedException {
        FenceMachine of = new FenceMachine(simulated);
        CoreFence fence = of.next();
        fence.published();
        simulated.schedule(
                "job timeout",
                5 * FenceMachine.SECOND,
                () -> {
                    fence.setError(Errno.ETIME);
                    fence.signal();
                });
        EmulatedThread waiter =
                simulated.start(
                        ThreadKind.BLOCKING,
                        "waiter",
                        () -> assertThat(fence.waitTimeout(false, Long.MAX_VALUE)).isPositive());
        waiter.join();
        assertThat(fence.status()).isEqualTo(-Errno.ETIME.number());
        assertThat(of.broken()).isEmpty();
    }

    @Test
    void withChecksOffNothingOfThisIsKeptOrReported() {
        FenceMachine off = new FenceMachine(execution, false, "7.3");
        CoreFence first = off.next();
        CoreFence second = off.next();
        off.fences.mightAllocate("a request");
        second.signal();
        first.signal();
        assertThat(off.broken()).isEmpty();
        assertThat(first.watch()).isNull();
    }
}
