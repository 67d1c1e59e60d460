package org.peerlane.dmabuf.core.resv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

/** Who gets the lock, who waits, and who gives way. */
@Timeout(60)
class WaitDieTest {
    private static final String TAKEN = "taken";
    private static final String WAITS = "waits";
    private static final String DIES = "EDEADLK";

    private final LiveExecution execution = new LiveExecution("test");
    private final Testbed bed = new Testbed(execution);
    private final CoreReservation a = bed.reservation("a");
    private final CoreReservation b = bed.reservation("b");
    private final CoreReservation c = bed.reservation("c");

    @AfterEach
    void close() {
        execution.close();
    }

    private Party party(String name) {
        return new Party(bed, name);
    }

    @Test
    @Rule("RV-2")
    @Rule("DB-70")
    void whoTakesItHoldsItUntilTheUnlock() {
        assertThat(a.isLocked()).isFalse();
        a.lock(null);
        assertThat(a.isHeld()).isTrue();
        assertThat(a.context()).isNull();
        a.unlock();
        assertThat(a.isHeld()).isFalse();
        assertThat(a.isLocked()).isFalse();
        CoreAcquireContext mine = bed.acquire();
        a.lock(mine);
        assertThat(a.isHeld()).isTrue();
        assertThat(a.context()).isSameAs(mine);
        assertThat(mine.held()).isEqualTo(1);
        a.unlock();
        assertThat(mine.held()).isZero();
        mine.close();
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-1")
    void transactionsAreStampedWhenTheyBeginAndTheFirstIsTheOldest() {
        CoreAcquireContext first = bed.acquire();
        CoreAcquireContext second = bed.acquire();
        assertThat(first.stamp()).isLessThan(second.stamp());
    }

    @Test
    @Rule("RV-2")
    void takingItTwiceWithOneTransactionIsEalready() {
        CoreAcquireContext mine = bed.acquire();
        a.lock(mine);
        assertThatThrownBy(() -> a.lock(mine))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("EALREADY: transaction 1 has a already");
        assertThat(mine.held()).isEqualTo(1);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-2")
    void takingItTwiceOtherwiseIsReportedAndNeverHangs() {
        a.lock(null);
        CoreAcquireContext mine = bed.acquire();
        CoreAcquireContext second = bed.acquire();
        b.lock(mine);
        assertThatThrownBy(() -> a.lock(null)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> a.lock(mine)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> b.lock(null)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> b.lock(second))
                .hasMessageContaining(
                        "takes b with transaction 2, which it holds with transaction 1");
        assertThat(bed.rules()).containsExactly("RV-2", "RV-2", "RV-2", "RV-2");
        assertThat(bed.violations().getFirst())
                .contains("takes a, which it holds: nobody would ever wake it");
    }

    @Test
    @Rule("RV-2")
    void aYoungerOneThatHoldsALockGivesWayToAnOlderHolder() {
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        assertThat(older.lock(a)).isEqualTo(TAKEN);
        assertThat(younger.lock(b)).isEqualTo(TAKEN);
        assertThat(younger.lock(a)).isEqualTo(DIES);
        assertThat(older.lock(b)).isEqualTo(WAITS);
        younger.unlock(b);
        assertThat(older.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-2")
    void aYoungerOneThatHoldsNothingWaits() {
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        older.lock(a);
        assertThat(younger.lock(a)).isEqualTo(WAITS);
        older.unlock(a);
        assertThat(younger.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-2")
    void anOlderOneWaitsForAYoungerHolderWhateverItHolds() {
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        younger.lock(a);
        older.lock(b);
        assertThat(older.lock(a)).isEqualTo(WAITS);
        younger.unlock(a);
        assertThat(older.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-2")
    void aYoungerOneGivesWayToAnOlderOneThatWaits() {
        Party plain = party("plain");
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        plain.lock(a);
        assertThat(older.lock(a)).isEqualTo(WAITS);
        younger.lock(b);
        assertThat(younger.lock(a)).isEqualTo(DIES);
        plain.unlock(a);
        assertThat(older.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-2")
    void aYoungerOneThatSleepsGivesWayWhenAnOlderOneQueues() {
        Party plain = party("plain");
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        plain.lock(a);
        younger.lock(b);
        assertThat(younger.lock(a)).isEqualTo(WAITS);
        assertThat(older.lock(a)).isEqualTo(WAITS);
        assertThat(younger.ended()).isEqualTo(DIES);
        plain.unlock(a);
        assertThat(older.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-4")
    void aHolderWithoutATransactionMakesNobodyGiveWay() {
        Party plain = party("plain");
        Party younger = party("younger").begin();
        plain.lock(a);
        younger.lock(b);
        assertThat(younger.lock(a)).isEqualTo(WAITS);
        plain.unlock(a);
        assertThat(younger.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-4")
    void whoComesWithoutATransactionWaitsForOneAndNeverFails() {
        Party plain = party("plain");
        Party other = party("other").begin();
        other.lock(a);
        plain.lock(b);
        assertThat(plain.lock(a)).isEqualTo(WAITS);
        other.unlock(a);
        assertThat(plain.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-2")
    @Rule("RV-3")
    void theOldestIsServedFirstAndOvertakesNoPlainOneBeforeIt() {
        Party holder = party("holder");
        Party plain = party("plain");
        Party oldest = party("oldest").begin();
        Party middle = party("middle").begin();
        Party youngest = party("youngest").begin();
        Party lastPlain = party("lastPlain");
        holder.lock(a);
        plain.lock(a);
        youngest.lock(a);
        lastPlain.lock(a);
        middle.lock(a);
        oldest.lock(a);
        assertThat(a.holderName()).isEqualTo("test/holder");
        assertThat(a.waiterNames())
                .containsExactly(
                        "test/plain",
                        "test/oldest",
                        "test/middle",
                        "test/youngest",
                        "test/lastPlain");
        holder.unlock(a);
        assertThat(plain.ended()).isEqualTo(TAKEN);
        assertThat(oldest.waits()).isTrue();
        plain.unlock(a);
        assertThat(oldest.ended()).isEqualTo(TAKEN);
        oldest.unlock(a);
        assertThat(middle.ended()).isEqualTo(TAKEN);
        middle.unlock(a);
        assertThat(youngest.ended()).isEqualTo(TAKEN);
        youngest.unlock(a);
        assertThat(lastPlain.ended()).isEqualTo(TAKEN);
        assertThat(a.waiterNames()).isEmpty();
    }

    @Test
    @Rule("RV-3")
    void afterGivingWayItWaitsForTheLockDeadlockOrNot() {
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        older.lock(a);
        younger.lock(b);
        assertThat(younger.lock(a)).isEqualTo(DIES);
        younger.unlock(b);
        assertThat(younger.lockSlow(a)).isEqualTo(WAITS);
        older.unlock(a);
        assertThat(younger.ended()).isEqualTo(TAKEN);
        assertThat(younger.lock(b)).isEqualTo(TAKEN);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-3")
    void waitingSlowlyWithALockHeldIsReported() {
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        older.lock(a);
        younger.lock(b);
        assertThat(younger.lock(a)).isEqualTo(DIES);
        assertThat(younger.lockSlow(a)).isEqualTo(WAITS);
        assertThat(bed.violations())
                .containsExactly(
                        "RV-3: transaction 2 locks a after EDEADLK on a with 1 held; it must give everything back and wait for that one first");
        older.unlock(a);
        assertThat(younger.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-3")
    void takingAnotherLockFirstAfterGivingWayIsReported() {
        Party older = party("older").begin();
        Party younger = party("younger").begin();
        older.lock(a);
        younger.lock(b);
        younger.lock(a);
        younger.unlock(b);
        assertThat(younger.lock(c)).isEqualTo(TAKEN);
        assertThat(bed.violations())
                .containsExactly(
                        "RV-3: transaction 2 locks c after EDEADLK on a with 0 held; it must give everything back and wait for that one first");
    }

    @Test
    @Rule("RV-3")
    void waitingSlowlyWithoutNeedIsReported() {
        Party one = party("one").begin();
        assertThat(one.lockSlow(a)).isEqualTo(TAKEN);
        assertThat(one.lockSlow(b)).isEqualTo(TAKEN);
        assertThat(bed.violations())
                .containsExactly(
                        "RV-3: transaction 1 takes a slowly without an EDEADLK before: lock() would have told it of a deadlock",
                        "RV-3: transaction 1 waits for b, deadlock or not, with 1 held; it must hold nothing");
    }

    @Test
    @Rule("RV-5")
    void anInterruptEndsAnInterruptibleWaitAndStaysPending() {
        Party holder = party("holder");
        Party waiter = party("waiter").begin();
        Party next = party("next");
        holder.lock(a);
        assertThat(waiter.lockInterruptible(a)).isEqualTo(WAITS);
        assertThat(next.lock(a)).isEqualTo(WAITS);
        waiter.interrupt();
        assertThat(waiter.ended()).isEqualTo("EINTR, interrupt pending");
        assertThat(a.waiterNames()).containsExactly("test/next");
        holder.unlock(a);
        assertThat(next.ended()).isEqualTo(TAKEN);
        next.unlock(a);
        assertThat(waiter.step(() -> a.lockSlowInterruptible(waiter.context)))
                .isEqualTo(TAKEN); // nobody has it: no wait, no EINTR
    }

    @Test
    @Rule("RV-5")
    void anInterruptDoesNotEndAnyOtherWait() {
        Party holder = party("holder");
        Party waiter = party("waiter").begin();
        holder.lock(a);
        assertThat(waiter.lock(a)).isEqualTo(WAITS);
        waiter.interrupt();
        holder.unlock(a);
        assertThat(waiter.ended()).isEqualTo(TAKEN);
    }

    @Test
    @Rule("RV-5")
    void tryingTakesItOnlyIfFreeAndWithoutATransaction() {
        Party other = party("other");
        assertThat(a.tryLock()).isTrue();
        assertThat(a.context()).isNull();
        assertThat(a.tryLock()).isFalse();
        assertThat(other.step(() -> assertThat(a.tryLock()).isFalse())).isEqualTo(TAKEN);
        a.unlock();
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-5")
    void whoBreaksTheLifeOfATransactionIsReported() {
        CoreAcquireContext mine = bed.acquire();
        a.lock(mine);
        mine.done();
        b.lock(mine);
        mine.done();
        mine.close();
        mine.close();
        assertThat(bed.violations())
                .containsExactly(
                        "RV-5: transaction 1 locks b after done(): a transaction that takes more locks must not say so",
                        "RV-5: transaction 1 calls done() twice",
                        "RV-5: transaction 1 ends with 2 locks held; unlock them first",
                        "RV-5: transaction 1 is closed twice");
        String me = Thread.currentThread().getName();
        assertThatThrownBy(() -> c.lock(mine))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("thread " + me + " locks c with transaction 1, which has ended");
        assertThat(c.isLocked()).isFalse();
    }

    @Test
    @Rule("RV-5")
    void aTransactionBelongsToItsThread() {
        Party thief = party("thief");
        CoreAcquireContext mine = bed.acquire();
        String answer = thief.step(() -> a.lock(mine));
        assertThat(answer)
                .isEqualTo(
                        "IllegalStateException: thread test/thief locks a with transaction 1, which belongs to thread "
                                + Thread.currentThread().getName());
        assertThat(bed.rules()).containsExactly("RV-5");
        assertThat(a.isLocked()).isFalse();
    }

    @Test
    @Rule("CK-16")
    void whoUnlocksWhatAnotherHoldsIsReportedAndRefused() {
        Party holder = party("holder").begin();
        holder.lock(a);
        String me = Thread.currentThread().getName();
        assertThatThrownBy(a::unlock)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("thread " + me + " unlocks a, which test/holder holds");
        assertThatThrownBy(b::unlock).hasMessageEndingWith("unlocks b, which nobody holds");
        assertThat(bed.rules()).containsExactly("CK-16", "CK-16");
        assertThat(a.holderName()).isEqualTo("test/holder");
    }

    @Test
    @Rule("CK-33")
    @Rule("FE-43")
    @Rule("RV-7")
    void takingItOnTheWayToSignalIsReportedAndTryingIsNot() {
        boolean cookie = bed.fences.beginSignalling();
        assertThat(a.tryLock()).isTrue();
        a.unlock();
        assertThat(bed.violations()).isEmpty();
        a.lock(null);
        bed.fences.endSignalling(cookie);
        assertThat(bed.violations())
                .containsExactly(
                        "CK-33: takes a on the way to signal a fence, while its holder may wait for that fence");
        a.unlock();
        a.lock(null);
        assertThat(bed.rules()).hasSize(1);
    }

    @Test
    void whatAnActionAtACheckpointThrowsLeavesTheLockAsItWas() {
        for (String point :
                new String[] {
                    "lock.before-take", "lock.taken", "unlock.before-free", "unlock.freed"
                }) {
            CoreAcquireContext mine = bed.acquire();
            try (var armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "dmabuf.resv." + point,
                                    () -> {
                                        throw new UnsupportedOperationException();
                                    })) {
                assertThatThrownBy(
                                () -> {
                                    a.lock(mine);
                                    a.unlock();
                                })
                        .isInstanceOf(UnsupportedOperationException.class);
                assertThat(armed.hits()).as(point).isPositive();
            }
            assertThat(a.isLocked()).as(point).isFalse();
            assertThat(mine.held()).as(point).isZero();
            a.lock(mine);
            a.unlock();
        }
    }
}
