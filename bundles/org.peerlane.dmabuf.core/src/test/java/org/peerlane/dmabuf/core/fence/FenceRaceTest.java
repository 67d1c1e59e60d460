package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.core.fence.FenceMachine.Counter;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Fences under threads. */
class FenceRaceTest {
    private static EmulatedThread start(Execution execution, String name, Runnable body) {
        return execution.start(ThreadKind.BLOCKING, name, body);
    }

    private static void join(EmulatedThread... threads) throws InterruptedException {
        for (EmulatedThread thread : threads) {
            thread.join();
        }
    }

    @Explore(schedules = 10_000)
    @Rule("FE-7")
    void aCallbackRunsOrIsRemovedAndDoesNotRunOnceRemoveHasReturned(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        var inside = execution.checkpoint("test.inside-callback");
        boolean[] running = {false};
        Counter callback =
                new Counter(() -> {
                    running[0] = true;
                    inside.reached();
                    running[0] = false;
                });
        Counter before = new Counter();
        Counter after = new Counter();
        fence.addCallback(before);
        fence.addCallback(callback);
        EmulatedThread adder = start(execution, "adder", () -> fence.addCallback(after));
        EmulatedThread signaller = start(execution, "signaller", fence::signal);
        boolean removed = fence.removeCallback(callback);
        int runs = callback.runs;
        assertThat(running[0]).isFalse();
        assertThat(runs).isEqualTo(removed ? 0 : 1);
        join(adder, signaller);
        assertThat(callback.runs).isEqualTo(runs);
        assertThat(before.runs).isEqualTo(1);
    }

    @Explore(schedules = 10_000)
    @Rule("FE-7")
    void twoRemoversAndASignallerShareTheCallbacks(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        List<Counter> counters =
                List.of(new Counter(), new Counter(), new Counter(), new Counter());
        counters.forEach(fence::addCallback);
        boolean[] removed = new boolean[4];
        EmulatedThread one =
                start(execution, "one", () -> removed[1] = fence.removeCallback(counters.get(1)));
        EmulatedThread two =
                start(execution, "two", () -> removed[2] = fence.removeCallback(counters.get(2)));
        fence.signal();
        join(one, two);
        for (int i = 0; i < 4; i++) {
            assertThat(counters.get(i).runs).isEqualTo(removed[i] ? 0 : 1);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("FE-6")
    @Rule("FE-8")
    void aCallbackThatWasAddedRunsOnceAndOneThatWasRefusedNever(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        List<Counter> counters = List.of(new Counter(), new Counter(), new Counter());
        boolean[] added = new boolean[3];
        List<EmulatedThread> threads = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int at = i;
            threads.add(
                    start(
                            execution,
                            "adder" + i,
                            () -> added[at] = fence.addCallback(counters.get(at))));
        }
        fence.signal();
        join(threads.toArray(EmulatedThread[]::new));
        for (int i = 0; i < 3; i++) {
            assertThat(counters.get(i).runs).isEqualTo(added[i] ? 1 : 0);
        }
        assertThat(machine.issuer.calls.size()).isLessThanOrEqualTo(1);
    }

    @Explore(schedules = 10_000)
    @Rule("FE-4")
    void ofTwoSignallersOneDoesItAndItsTimeStays(Execution execution) throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        Counter counter = new Counter();
        fence.addCallback(counter);
        boolean[] did = new boolean[2];
        EmulatedThread other = start(execution, "other", () -> did[0] = fence.signalTimestamp(100));
        did[1] = fence.signalTimestamp(200);
        long seen = fence.timestamp();
        join(other);
        assertThat(did[0]).isNotEqualTo(did[1]);
        assertThat(seen).isEqualTo(did[0] ? 100 : 200);
        assertThat(fence.timestamp()).isEqualTo(seen);
        assertThat(counter.runs).isEqualTo(1);
    }

    @Explore(schedules = 10_000)
    @Rule("RV-22")
    @Rule("CK-36")
    void aFenceIsFreedOnceAndNeverWhileSomebodyHasGotIt(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        var issuer = new FenceMachine.ReleasingIssuer();
        CoreFence fence = (CoreFence) machine.fences.create(issuer, machine.context, 1);
        fence.signal();
        EmulatedThread putter = start(execution, "putter", fence::put);
        Fence got = fence.getUnlessZero();
        if (got != null) {
            execution.checkpoint("test.held").reached();
            assertThat(issuer.calls).isEmpty();
            got.put();
        }
        join(putter);
        assertThat(issuer.calls).containsExactly("release");
        assertThat(fence.getUnlessZero()).isNull();
    }

    @Explore(schedules = 10_000)
    @Rule("FE-10")
    void aWaitEndsWithTheSignalOrWithTheLimitAndSaysWhich(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        EmulatedThread forEver =
                start(
                        execution,
                        "for-ever",
                        () ->
                                assertThat(fence.waitTimeout(false, Reservation.NO_LIMIT))
                                        .isEqualTo(Reservation.NO_LIMIT));
        EmulatedThread limited =
                start(
                        execution,
                        "limited",
                        () -> {
                            long begin = execution.nanoTime();
                            long left = fence.waitTimeout(true, 6_000);
                            if (left == 0) {
                                assertThat(execution.nanoTime() - begin)
                                        .isGreaterThanOrEqualTo(6_000);
                            } else {
                                assertThat(left).isBetween(1L, 6_000L);
                                assertThat(fence.isSignaled()).isTrue();
                            }
                        });
        execution.sleep(4_000);
        fence.signal();
        join(forEver, limited);
    }

    @Explore(schedules = 10_000)
    @Rule("FE-10")
    void anInterruptEndsAnInterruptibleWaitOnly(Execution execution) throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        boolean[] interrupted = {false};
        EmulatedThread deaf =
                start(
                        execution,
                        "deaf",
                        () -> assertThat(fence.waitTimeout(false, 1_000_000)).isPositive());
        EmulatedThread hearing =
                start(
                        execution,
                        "hearing",
                        () -> {
                            try {
                                fence.waitTimeout(true, Reservation.NO_LIMIT);
                            } catch (org.peerlane.kernel.api.ErrnoException e) {
                                assertThat(e.errno()).isEqualTo(Errno.ERESTARTSYS);
                                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                                interrupted[0] = true;
                            }
                        });
        deaf.interrupt();
        hearing.interrupt();
        join(hearing);
        assertThat(interrupted[0]).isTrue();
        fence.signal();
        join(deaf);
    }

    @Explore(schedules = 10_000)
    @Rule("FE-20")
    void anArraySignalsOnceAllHaveWhoeverSignalsMeanwhile(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        CoreFence array =
                (CoreFence) machine.fences.array(List.of(a.get(), b.get()), 900, 1, false);
        boolean[] early = {false};
        Counter counter = new Counter(() -> early[0] = !a.isSignaled() || !b.isSignaled());
        EmulatedThread one = start(execution, "one", a::signal);
        EmulatedThread two = start(execution, "two", b::signal);
        boolean added = array.addCallback(counter);
        join(one, two);
        assertThat(counter.runs).isEqualTo(added ? 1 : 0);
        assertThat(array.isSignaled()).isTrue();
        assertThat(early[0]).isFalse();
        array.put();
        assertThat(List.of(array.references(), a.references(), b.references()))
                .containsExactly(0, 1, 1);
    }

    @Explore(schedules = 10_000)
    @Rule("FE-20")
    void anAnyArraySignalsWithTheFirstAndLetsGoOfTheOthers(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        CoreFence array = (CoreFence) machine.fences.array(List.of(a.get(), b.get()), 900, 1, true);
        EmulatedThread one = start(execution, "one", a::signal);
        EmulatedThread waiter =
                start(
                        execution,
                        "waiter",
                        () ->
                                assertThat(array.waitTimeout(false, Reservation.NO_LIMIT))
                                        .isPositive());
        join(one, waiter);
        b.signal();
        array.put();
        assertThat(List.of(array.references(), a.references(), b.references()))
                .containsExactly(0, 1, 1);
    }

    @Explore(schedules = 10_000)
    @Rule("FE-21")
    void aChainSignalsWithItsLastFenceWhateverTheirOrder(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        Fence first = machine.fences.chain(null, a.get(), 1);
        CoreFence second = (CoreFence) machine.fences.chain(first.get(), b.get(), 2);
        boolean[] early = {false};
        Counter counter = new Counter(() -> early[0] = !a.isSignaled() || !b.isSignaled());
        EmulatedThread one = start(execution, "one", a::signal);
        EmulatedThread two = start(execution, "two", b::signal);
        boolean added = second.addCallback(counter);
        second.isSignaled();
        join(one, two);
        assertThat(second.isSignaled()).isTrue();
        assertThat(counter.runs).isEqualTo(added ? 1 : 0);
        assertThat(early[0]).isFalse();
        second.put();
        first.put();
        assertThat(List.of(((CoreFence) first).references(), a.references(), b.references()))
                .containsExactly(0, 1, 1);
    }

    @Explore(schedules = 10_000)
    void whoWalksAChainWhilePointsLeaveItHoldsWhatItSees(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        List<CoreFence> fences = new ArrayList<>();
        Fence head = null;
        for (int point = 1; point <= 4; point++) {
            CoreFence fence = machine.alone();
            fences.add(fence);
            head = machine.fences.chain(head, fence.get(), point);
        }
        Fence chain = head;
        List<EmulatedThread> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            threads.add(
                    start(
                            execution,
                            "walker" + i,
                            () ->
                                    machine.fences.unwrap(
                                            chain,
                                            leaf ->
                                                    assertThat(((CoreFence) leaf).references())
                                                            .isPositive())));
        }
        fences.get(0).signal();
        fences.get(2).signal();
        join(threads.toArray(EmulatedThread[]::new));
        chain.put();
        assertThat(fences).extracting(CoreFence::references).containsOnly(1);
    }

    @Explore(schedules = 10_000)
    void aDepartureSignalsEveryFenceThatSomebodyWaitsForAndCallsNothingAfterwards(
            Execution execution) throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        boolean[] gone = {false};
        boolean[] late = {false};
        var inside = execution.checkpoint("test.inside-operation");
        var issuer =
                new FenceMachine.Issuer() {
                    @Override
                    public boolean enableSignaling(@Nullable Fence fence) {
                        late[0] |= gone[0];
                        inside.reached();
                        late[0] |= gone[0];
                        return true;
                    }

                    @Override
                    public String driverName() {
                        enableSignaling(null);
                        return "gpu0";
                    }
                };
        Fence a = machine.fences.create(issuer, machine.context, 1);
        Fence b = machine.fences.create(issuer, machine.context, 2);
        Fence c = machine.fences.create(issuer, machine.context, 3);
        Counter counter = new Counter();
        EmulatedThread namer = start(execution, "namer", c::driverName);
        EmulatedThread waiter =
                start(
                        execution,
                        "waiter",
                        () -> assertThat(a.waitTimeout(false, Reservation.NO_LIMIT)).isPositive());
        boolean[] added = {false};
        EmulatedThread adder = start(execution, "adder", () -> added[0] = b.addCallback(counter));
        machine.fences.depart(Errno.ENODEV);
        assertThat(machine.fences.awaitDeparted(FenceMachine.SECOND)).isTrue();
        gone[0] = true;
        join(waiter, adder, namer);
        assertThat(late[0]).isFalse();
        assertThat(counter.runs).isEqualTo(added[0] ? 1 : 0);
        assertThat(a.error()).isEqualTo(Errno.ENODEV);
        assertThat(b.error()).isEqualTo(Errno.ENODEV);
        assertThat(machine.fences.live.list()).isEmpty();
    }

    @Explore(schedules = 10_000)
    void noFenceTakesTheSlotOfAnother(Execution execution) throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        List<CoreFence> fences = new ArrayList<>();
        List<EmulatedThread> threads = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            CoreFence fence = machine.next();
            fences.add(fence);
            threads.add(start(execution, "publisher" + i, fence::published));
        }
        fences.remove(0).signal();
        join(threads.toArray(EmulatedThread[]::new));
        assertThat(machine.fences.unsignaled()).isEqualTo(fences);
        assertThat(machine.fences.live.list()).hasSameElementsAs(fences);
    }

    @Explore(schedules = 10_000)
    void aSignaledFenceIsNotListedWhoeverPublishesItMeanwhile(Execution execution)
            throws InterruptedException {
        FenceMachine machine = new FenceMachine(execution, false, "7.3");
        CoreFence fence = machine.next();
        CoreFence other = machine.next();
        EmulatedThread publisher = start(execution, "publisher", fence::published);
        EmulatedThread adder = start(execution, "adder", () -> fence.addCallback(new Counter()));
        EmulatedThread second = start(execution, "second", other::published);
        fence.signal();
        join(publisher, adder, second);
        assertThat(machine.fences.live.list()).containsExactly(other);
        assertThat(machine.fences.unsignaled()).containsExactly(other);
    }
}
