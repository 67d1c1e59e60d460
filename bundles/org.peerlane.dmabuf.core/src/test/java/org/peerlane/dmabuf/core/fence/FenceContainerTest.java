package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.core.fence.FenceMachine.Counter;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

/** Arrays, chains, and what is made of them. */
class FenceContainerTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final FenceMachine machine = new FenceMachine(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    private CoreFence array(boolean any, Fence... members) {
        List<Fence> held = new ArrayList<>();
        for (Fence member : members) {
            held.add(member.get());
        }
        long context = machine.fences.allocateContexts(1);
        return (CoreFence) machine.fences.array(held, context, 1, any);
    }

    private List<Fence> leaves(Fence fence) {
        List<Fence> leaves = new ArrayList<>();
        machine.fences.unwrap(fence, leaves::add);
        return leaves;
    }

    @Test
    @Rule("FE-20")
    void anArrayOfAllSignalsWithItsLastMember() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        Counter counter = new Counter();
        CoreFence array = array(false, a, b);
        array.addCallback(counter);
        b.signal();
        assertThat(counter.runs).isZero();
        a.signal();
        assertThat(counter.runs).isEqualTo(1);
        assertThat(array.status()).isEqualTo(1);
    }

    @Test
    @Rule("FE-20")
    void anArrayOfAnySignalsWithItsFirstMember() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        CoreFence array = array(true, a, b);
        array.enableSignaling();
        b.signal();
        assertThat(array.isEnded()).isTrue();
    }

    @Test
    @Rule("FE-20")
    void anArrayAsksItsMembersOnlyWhenSomebodyWaits() {
        CoreFence array = array(false, machine.alone(), machine.alone());
        assertThat(machine.issuer.calls).isEmpty();
        array.enableSignaling();
        assertThat(machine.issuer.calls).containsExactly("enable", "enable");
    }

    @Test
    @Rule("FE-9")
    @Rule("FE-20")
    void anArrayThatNobodyWaitsForIsSignaledWhenItIsAskedAfterItsMembersAre() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        CoreFence array = array(false, a, b);
        a.signal();
        assertThat(array.isSignaled()).isFalse();
        b.setError(Errno.EIO);
        b.signal();
        assertThat(array.isSignaled()).isTrue();
        assertThat(array.error()).isEqualTo(Errno.EIO);
    }

    @Test
    @Rule("FE-20")
    void theErrorOfAnArrayIsThatOfTheFirstMemberThatFailed() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        CoreFence c = machine.alone();
        CoreFence array = array(false, a, b, c);
        array.enableSignaling();
        c.signal();
        b.setError(Errno.ETIME);
        b.signal();
        a.setError(Errno.EIO);
        a.signal();
        assertThat(array.status()).isEqualTo(-Errno.ETIME.number());
    }

    @Test
    @Rule("FE-20")
    void anArrayOfContainersOrOfNothingIsReported() {
        array(false, array(false, machine.alone()));
        assertThat(machine.broken()).containsExactly("FE-20");
        assertThatThrownBy(() -> array(false))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(machine.broken()).containsExactly("FE-20", "FE-20");
    }

    @Test
    @Rule("FE-20")
    void aFreedArrayLetsGoOfItsMembersEvenIfNobodyEverWaited() {
        CoreFence a = machine.alone();
        CoreFence array = array(false, a);
        assertThat(a.references()).isEqualTo(2);
        array.put();
        assertThat(a.references()).isEqualTo(1);
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("FE-15")
    void aDeadlineReachesEveryLeaf() {
        Fence chain = machine.fences.chain(machine.alone(), array(false, machine.alone()), 5);
        machine.issuer.calls.clear();
        chain.setDeadline(9);
        assertThat(machine.issuer.calls).containsExactly("deadline 9", "deadline 9");
    }

    /** Points 3, 5, 9 of one timeline. */
    private List<Fence> points(List<CoreFence> fences) {
        List<Fence> points = new ArrayList<>();
        Fence last = null;
        for (int i = 0; i < 3; i++) {
            CoreFence fence = machine.alone();
            fences.add(fence);
            last =
                    machine.fences.chain(
                            last == null ? null : last.get(), fence.get(), List.of(3, 5, 9).get(i));
            points.add(last);
        }
        return points;
    }

    @Test
    @Rule("FE-21")
    void aPointHasSignaledOnceItsFenceAndAllBeforeItHave() {
        List<CoreFence> fences = new ArrayList<>();
        List<Fence> points = points(fences);
        Counter counter = new Counter();
        points.get(2).addCallback(counter);
        fences.get(2).signal();
        fences.get(0).signal();
        assertThat(points.get(2).isSignaled()).isFalse();
        assertThat(points.get(0).isSignaled()).isTrue();
        fences.get(1).signal();
        assertThat(counter.runs).isEqualTo(1);
        assertThat(points).allMatch(Fence::isSignaled);
    }

    @Test
    @Rule("FE-21")
    void pointsOfAChainShareATimelineAndOneThatDoesNotGoUpStartsAnother() {
        Fence first = machine.fences.chain(null, machine.alone(), 7);
        Fence later = machine.fences.chain(first.get(), machine.alone(), 8);
        Fence back = machine.fences.chain(later.get(), machine.alone(), 2);
        assertThat(later.context()).isEqualTo(first.context());
        assertThat(back.context()).isNotEqualTo(first.context());
        assertThat(back.seqno()).isEqualTo(8);
        assertThat(back.isSeqno64()).isTrue();
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("FE-21")
    void findSeqnoGivesTheSmallestPointAtOrAfter() {
        List<Fence> points = points(new ArrayList<>());
        Fence head = points.get(2);
        for (int seqno = 1; seqno <= 9; seqno++) {
            Fence expected = points.get(seqno <= 3 ? 0 : seqno <= 5 ? 1 : 2);
            Fence found = machine.fences.findSeqno(head, seqno);
            assertThat(found).as("point %d", seqno).isSameAs(expected);
            found.put();
        }
        assertThat(machine.fences.findSeqno(head, 0)).isSameAs(head);
        head.put();
        assertThat(points)
                .extracting(point -> ((CoreFence) point).references())
                .containsExactly(2, 2, 1);
    }

    @Test
    @Rule("FE-21")
    void findSeqnoPastTheEndIsInvalidAndBeforeWhatHasSignaledIsNothing() {
        List<CoreFence> fences = new ArrayList<>();
        Fence head = points(fences).get(2);
        assertThatThrownBy(() -> machine.fences.findSeqno(head, 10))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThatThrownBy(() -> machine.fences.findSeqno(machine.alone(), 1))
                .isInstanceOf(ErrnoException.class);
        fences.get(0).signal();
        fences.get(1).signal();
        assertThat(machine.fences.findSeqno(head, 4)).isNull();
    }

    @Test
    @Rule("FE-21")
    void aChainInAChainIsReported() {
        Fence chain = machine.fences.chain(null, machine.alone(), 1);
        machine.fences.chain(null, chain, 2);
        assertThat(machine.broken()).containsExactly("FE-21");
    }

    @Test
    @Rule("FE-21")
    void aLongChainIsFreedAndSignaledWithoutRunningOutOfStack() {
        FenceMachine unchecked = new FenceMachine(execution, false, "7.3");
        Fence head = null;
        List<CoreFence> fences = new ArrayList<>();
        for (int i = 1; i <= 20_000; i++) {
            CoreFence fence = unchecked.alone();
            fences.add(fence);
            head = unchecked.fences.chain(head, fence.get(), i);
        }
        head.put();
        assertThat(fences).allMatch(fence -> fence.references() == 1);
        Fence last = null;
        for (int i = 1; i <= 20_000; i++) {
            last = unchecked.fences.chain(last, fences.get(i - 1).get(), i);
        }
        Counter counter = new Counter();
        last.addCallback(counter);
        for (int i = fences.size() - 1; i >= 0; i--) {
            fences.get(i).signal();
        }
        assertThat(counter.runs).isEqualTo(1);
    }

    @Test
    @Rule("FE-22")
    void unwrapShowsTheLeavesOfContainersInContainers() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        CoreFence c = machine.alone();
        Fence chain = machine.fences.chain(array(false, a, b), array(true, c), 1);
        assertThat(leaves(chain)).containsExactly(c, a, b);
        assertThat(leaves(a)).containsExactly(a);
    }

    @Test
    @Rule("FE-20")
    @Rule("FE-22")
    void aMergeIsFlatAndHasTheLatestOfEachTimeline() {
        CoreFence first = machine.next();
        CoreFence second = machine.next();
        CoreFence third = machine.next();
        CoreFence other = machine.alone();
        CoreFence signaled = machine.alone();
        signaled.signal();
        Fence merged =
                machine.fences.merge(
                        List.of(second, array(false, third, other), signaled, first, other));
        assertThat(merged.isContainer()).isTrue();
        assertThat(leaves(merged)).containsExactlyInAnyOrder(third, other);
        assertThat(machine.broken()).isEmpty();
        third.signal();
        assertThat(merged.isSignaled()).isFalse();
        other.signal();
        assertThat(merged.isSignaled()).isTrue();
    }

    @Test
    @Rule("FE-22")
    void aMergeOfOneUnsignaledFenceIsThatFence() {
        CoreFence fence = machine.alone();
        assertThat(machine.fences.merge(List.of(fence, machine.fences.stub()))).isSameAs(fence);
        assertThat(fence.references()).isEqualTo(2);
    }

    @Test
    @Rule("FE-22")
    void aMergeOfSignaledFencesHasSignaledAtTheLatestTime() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        a.signalTimestamp(2_000);
        b.signalTimestamp(1_000);
        Fence merged = machine.fences.merge(List.of(a, b));
        assertThat(merged.status()).isEqualTo(1);
        assertThat(merged.timestamp()).isEqualTo(2_000);
        assertThat(merged).isNotSameAs(a);
    }

    @Test
    @Rule("FE-41")
    void whoPublishesAContainerPublishesItsLeaves() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        ((CoreFence) machine.fences.chain(a.get(), array(false, b), 1)).published();
        assertThat(a.isPublished()).isTrue();
        assertThat(b.isPublished()).isTrue();
    }
}
