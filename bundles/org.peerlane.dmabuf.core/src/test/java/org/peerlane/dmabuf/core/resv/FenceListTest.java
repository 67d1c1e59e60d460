package org.peerlane.dmabuf.core.resv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.dmabuf.api.FenceUsage.BOOKKEEP;
import static org.peerlane.dmabuf.api.FenceUsage.KERNEL;
import static org.peerlane.dmabuf.api.FenceUsage.READ;
import static org.peerlane.dmabuf.api.FenceUsage.WRITE;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

/** What is in the list, and how many more it takes. */
@Timeout(60)
class FenceListTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final Testbed bed = new Testbed(execution);
    private final CoreReservation resv = bed.reservation("system#17");

    @BeforeEach
    void lock() {
        resv.lock(null);
    }

    @AfterEach
    void close() {
        if (resv.isHeld()) {
            resv.unlock();
        }
        execution.close();
    }

    private void add(Fence fence, FenceUsage usage) {
        resv.reserveFences(1);
        resv.addFence(fence, usage);
    }

    /** {@return what a query gets, as seqno and class} */
    private List<String> seen(CoreReservation of, FenceUsage usage) {
        List<String> seen = new ArrayList<>();
        of.forEachFence(usage, (fence, under) -> seen.add(fence.seqno() + " " + under));
        return seen;
    }

    private List<String> seen(FenceUsage usage) {
        return seen(resv, usage);
    }

    private Checkpoints.Armed outOfMemory(String point) {
        return execution
                .checkpoints()
                .arm(
                        "dmabuf.resv." + point,
                        () -> {
                            throw new ErrnoException(Errno.ENOMEM, "injected");
                        });
    }

    // ---- slots

    @Test
    @Rule("RV-10")
    void noSlotsIsRefusedAndReported() {
        for (int count : new int[] {0, -1}) {
            assertThatThrownBy(() -> resv.reserveFences(count))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessage("EINVAL: " + count + " slots of system#17, expected 1 or more");
        }
        assertThat(bed.rules()).containsExactly("RV-10", "RV-10");
    }

    @Test
    @Rule("RV-10")
    void asManyAddsAreSureAsWereReserved() {
        resv.reserveFences(5);
        assertThat(resv.reserved()).isEqualTo(5);
        for (int i = 0; i < 5; i++) {
            resv.addFence(bed.fence(), READ);
        }
        assertThat(resv.reserved()).isZero();
        assertThat(seen(BOOKKEEP)).hasSize(5);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-17")
    @Rule("CK-20")
    void twoReservationsOfOneAreOneSlot() {
        resv.reserveFences(1);
        resv.reserveFences(1);
        resv.addFence(bed.fence(), READ);
        Fence second = bed.fence();
        assertThatThrownBy(() -> resv.addFence(second, READ))
                .isInstanceOf(IllegalStateException.class);
        assertThat(bed.violations())
                .containsExactly(
                        "CK-20: system#17 gets fence 2:1 of test.issuer for READ without a reserved slot: reserve in the same critical section, and again after what may have added fences");
        assertThat(seen(BOOKKEEP)).hasSize(1);
    }

    @Test
    @Rule("RV-6")
    @Rule("CK-20")
    @Rule("dma-buf:T-9")
    void slotsAreGoneAfterTheUnlock() {
        resv.reserveFences(1);
        resv.unlock();
        resv.lock(null);
        assertThat(resv.reserved()).isZero();
        Fence fence = bed.fence();
        assertThatThrownBy(() -> resv.addFence(fence, READ))
                .isInstanceOf(IllegalStateException.class);
        assertThat(bed.rules()).containsExactly("CK-20");
    }

    @Test
    @Rule("RV-17")
    @Rule("CK-20")
    @Rule("dma-buf:T-37")
    void callbacksOfFourImportersUseUpTheExportersSlot() {
        resv.reserveFences(1);
        for (int importer = 0; importer < 4; importer++) {
            add(bed.fence(), BOOKKEEP);
        }
        Fence move = bed.fence();
        assertThatThrownBy(() -> resv.addFence(move, KERNEL))
                .isInstanceOf(IllegalStateException.class);
        assertThat(bed.rules()).containsExactly("CK-20");
        resv.reserveFences(1);
        resv.addFence(move, KERNEL);
        assertThat(seen(KERNEL)).hasSize(1);
    }

    @Test
    @Rule("RV-10")
    void withoutMemoryTheListIsUnchanged() {
        add(bed.fence(), READ);
        try (Checkpoints.Armed armed = outOfMemory("reserve")) {
            assertThatThrownBy(() -> resv.reserveFences(1)).hasMessage("ENOMEM: injected");
            assertThat(armed.hits()).isEqualTo(1);
        }
        assertThat(resv.reserved()).isZero();
        assertThat(seen(BOOKKEEP)).containsExactly("1 READ");
        resv.reserveFences(2);
        try (Checkpoints.Armed armed = outOfMemory("reserve")) {
            resv.reserveFences(2); // they are there
            assertThat(armed.hits()).isZero();
        }
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-10")
    void moreSlotsThanOnePieceOfMemoryHoldsIsEnomem() {
        assertThatThrownBy(() -> resv.reserveFences(Integer.MAX_VALUE))
                .hasMessage("ENOMEM: 2147483647 slots, expected at most 524288 in one piece");
        assertThat(resv.reserved()).isZero();
    }

    @Test
    @Rule("RV-10")
    @Rule("RV-16")
    void whatHasSignaledStaysUntilRoomIsNeeded() {
        Fence fence = bed.fence();
        add(fence, WRITE);
        fence.signal();
        fence.put();
        assertThat(seen(BOOKKEEP)).isEmpty();
        assertThat(resv.testSignaled(BOOKKEEP)).isTrue();
        assertThat(bed.freed).hasValue(0);
        resv.reserveFences(1);
        assertThat(bed.freed).hasValue(1);
    }

    @Test
    @Rule("DB-70")
    @Rule("CK-16")
    void changingItWithoutTheLockIsReported() {
        CoreReservation other = bed.reservation("other");
        other.reserveFences(1);
        other.addFence(bed.fence(), READ);
        other.replaceFences(1, bed.fence(), READ);
        other.copyFences(resv);
        assertThat(bed.rules()).containsExactly("CK-16", "CK-16", "CK-16", "CK-16", "CK-23");
        assertThat(bed.violations().getFirst())
                .isEqualTo(
                        "CK-16: thread %s reserves slots of other, which nobody holds; it must hold it itself"
                                .formatted(Thread.currentThread().getName()));
    }

    // ---- what overwrites what

    @Test
    @Rule("RV-12")
    @Rule("dma-buf:T-10")
    void aLaterOneOfTheSameTimelineAndClassTakesThePlace() {
        Fence first = bed.fence(900, 1);
        resv.reserveFences(1);
        resv.addFence(first, READ);
        resv.addFence(bed.fence(900, 2), READ);
        assertThat(seen(BOOKKEEP)).containsExactly("2 READ");
        first.signal();
        first.put();
        assertThat(bed.freed).hasValue(1);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-12")
    @Rule("RV-15")
    @Rule("dma-buf:T-11")
    void aLaterOneOfAWeakerClassNeedsASlotOfItsOwn() {
        resv.reserveFences(2);
        resv.addFence(bed.fence(900, 1), WRITE);
        resv.addFence(bed.fence(900, 2), READ);
        assertThat(seen(BOOKKEEP)).containsExactly("1 WRITE", "2 READ");
        assertThat(resv.reserved()).isZero();
    }

    @Test
    @Rule("RV-15")
    void aFenceMayBePromotedAndIsNeverDemoted() {
        Fence fence = bed.fence(900, 1);
        resv.reserveFences(2);
        resv.addFence(fence, BOOKKEEP);
        resv.addFence(fence, WRITE);
        assertThat(seen(BOOKKEEP)).containsExactly("1 WRITE");
        assertThat(resv.reserved()).isEqualTo(1);
        resv.addFence(fence, READ);
        assertThat(seen(BOOKKEEP)).containsExactly("1 WRITE", "1 READ");
    }

    @Test
    @Rule("RV-12")
    void anEarlierOneDoesNotTakeThePlaceOfALaterOne() {
        Fence first = bed.fence(900, 1);
        resv.reserveFences(2);
        resv.addFence(bed.fence(900, 2), READ);
        resv.addFence(first, READ);
        assertThat(seen(BOOKKEEP)).containsExactly("2 READ", "1 READ");
    }

    @Test
    @Rule("RV-12")
    @Rule("FE-2")
    void laterIsComparedAsTheTimelineCounts() {
        resv.reserveFences(2);
        resv.addFence(bed.fence(900, 0xFFFF_FFFFL), READ);
        resv.addFence(bed.fence(900, 1), READ); // it has wrapped around
        assertThat(seen(BOOKKEEP)).containsExactly("1 READ");
        resv.addFence(bed.fence64(901, 1), READ);
        resv.addFence(bed.fence64(901, 0xFFFF_FFFFL), READ);
        assertThat(seen(BOOKKEEP)).containsExactly("1 READ", "4294967295 READ");
    }

    @Test
    @Rule("RV-12")
    void aSignaledOneGivesItsPlaceToAny() {
        Fence signaled = bed.fence(900, 1);
        resv.reserveFences(1);
        resv.addFence(signaled, KERNEL);
        signaled.signal();
        resv.addFence(bed.fence(901, 7), BOOKKEEP);
        assertThat(seen(BOOKKEEP)).containsExactly("7 BOOKKEEP");
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-12")
    void itTakesAReferenceOfItsOwn() {
        Fence fence = bed.fence();
        add(fence, READ);
        fence.put();
        assertThat(bed.freed).hasValue(0);
        fence.signal();
        resv.close();
        assertThat(bed.freed).hasValue(1);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-12")
    @Rule("CK-22")
    void aContainerIsReported() {
        Fence array = bed.fences.array(List.of(bed.fence(), bed.fence()), 950, 1, false);
        add(array, READ);
        assertThat(bed.rules()).containsExactly("CK-22");
        assertThat(bed.violations().getFirst())
                .endsWith("a container: slots merge by context, so add its members");
    }

    @Test
    @Rule("RV-13")
    @Rule("CK-21")
    void twoActivitiesOnOneTimelineAreReportedWhenTheLaterEndsFirst() {
        Fence copy = bed.fence(900, 1);
        Fence other = bed.fence(900, 2);
        add(copy, WRITE);
        add(other, WRITE);
        assertThat(seen(BOOKKEEP)).containsExactly("2 WRITE");
        assertThat(bed.violations()).isEmpty();
        other.signal();
        assertThat(bed.violations())
                .containsExactly(
                        "CK-21: fence 900:2 of test.issuer signaled before fence 900:1 of test.issuer, whose place in system#17 it took: activities that do not wait for each other need a timeline each");
        assertThat(resv.testSignaled(BOOKKEEP)).isTrue(); // and the copy still runs
    }

    @Test
    @Rule("RV-13")
    @Rule("CK-21")
    void aFenceThatEndedBeforeItTookThePlaceIsReportedAtOnce() {
        add(bed.fence(900, 1), WRITE);
        Fence other = bed.fence(900, 2);
        other.signal();
        add(other, WRITE);
        assertThat(bed.rules()).containsExactly("CK-21");
    }

    @Test
    @Rule("RV-13")
    @Rule("CK-21")
    void aTimelineThatEndsInOrderIsFine() {
        Fence first = bed.fence(900, 1);
        Fence second = bed.fence(900, 2);
        add(first, WRITE);
        add(second, WRITE);
        first.signal();
        second.signal();
        assertThat(bed.violations()).isEmpty();
    }

    // ---- replace and copy

    @Test
    @Rule("RV-14")
    void oneFenceTakesThePlacesOfAllOfATimeline() {
        Fence preempt = bed.fence(900, 1);
        resv.reserveFences(3);
        resv.addFence(preempt, BOOKKEEP);
        resv.addFence(bed.fence(901, 5), READ);
        Fence update = bed.fence(902, 9);
        resv.replaceFences(900, update, BOOKKEEP);
        assertThat(seen(BOOKKEEP)).containsExactly("9 BOOKKEEP", "5 READ");
        preempt.signal();
        preempt.put();
        assertThat(bed.freed).hasValue(1);
        update.put();
        assertThat(bed.freed).hasValue(1);
        resv.replaceFences(999, bed.fence(), KERNEL);
        assertThat(seen(BOOKKEEP)).hasSize(2);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-14")
    @Rule("RV-15")
    @Rule("CK-23")
    void replacingByAWeakerOrAnEarlierOneIsReported() {
        Fence write = bed.fence(900, 2);
        add(write, WRITE);
        resv.replaceFences(900, bed.fence(901, 1), BOOKKEEP);
        assertThat(bed.violations())
                .containsExactly(
                        "CK-23: system#17 has fence 900:2 of test.issuer for WRITE replaced by fence 901:1 of test.issuer for BOOKKEEP, which does not cover it: it is of a weaker class");
        Fence earlier = bed.fence(903, 7);
        add(bed.fence(903, 8), READ);
        resv.replaceFences(903, earlier, KERNEL);
        assertThat(bed.violations().getLast()).endsWith("it is earlier on its timeline");
    }

    @Test
    @Rule("RV-25")
    void theListOfAnotherReservationTakesThePlaceOfThisOne() {
        CoreReservation source = bed.reservation("source");
        assertThat(source.tryLock()).isTrue();
        source.reserveFences(3);
        Fence signaled = bed.fence(900, 1);
        source.addFence(signaled, READ);
        source.addFence(bed.fence(901, 2), KERNEL);
        source.addFence(bed.fence(902, 3), BOOKKEEP);
        signaled.signal();
        source.unlock();
        Fence mine = bed.fence(903, 4);
        add(mine, READ);
        mine.signal();
        resv.reserveFences(1);
        resv.copyFences(source);
        assertThat(seen(BOOKKEEP)).containsExactly("2 KERNEL", "3 BOOKKEEP");
        assertThat(seen(source, BOOKKEEP)).containsExactly("2 KERNEL", "3 BOOKKEEP");
        assertThat(resv.reserved()).isZero();
        resv.copyFences(resv);
        assertThat(seen(BOOKKEEP)).containsExactly("2 KERNEL", "3 BOOKKEEP");
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-25")
    @Rule("CK-23")
    void aCopyThatLosesAFenceIsReported() {
        add(bed.fence(900, 1), WRITE);
        resv.copyFences(bed.reservation("empty"));
        assertThat(bed.violations())
                .containsExactly(
                        "CK-23: system#17 loses fence 900:1 of test.issuer for WRITE, unsignaled, to a list without it");
    }

    @Test
    @Rule("RV-25")
    void withoutMemoryACopyChangesNothing() {
        add(bed.fence(900, 1), WRITE);
        try (Checkpoints.Armed armed = outOfMemory("copy")) {
            assertThatThrownBy(() -> resv.copyFences(bed.reservation("empty")))
                    .hasMessage("ENOMEM: injected");
            assertThat(armed.hits()).isEqualTo(1);
        }
        assertThat(seen(BOOKKEEP)).containsExactly("1 WRITE");
    }

    // ---- queries

    private void addOneOfEach() {
        resv.reserveFences(4);
        resv.addFence(bed.fence(900, 3), BOOKKEEP);
        resv.addFence(bed.fence(901, 2), READ);
        resv.addFence(bed.fence(902, 1), WRITE);
        resv.addFence(bed.fence(903, 0), KERNEL);
    }

    @Test
    @Rule("RV-20")
    void aQueryGetsItsClassAndThoseBefore() {
        addOneOfEach();
        assertThat(seen(KERNEL)).containsExactly("0 KERNEL");
        assertThat(seen(WRITE)).containsExactly("1 WRITE", "0 KERNEL");
        assertThat(seen(READ)).containsExactly("2 READ", "1 WRITE", "0 KERNEL");
        assertThat(seen(BOOKKEEP)).containsExactly("3 BOOKKEEP", "2 READ", "1 WRITE", "0 KERNEL");
    }

    @Test
    @Rule("RV-21")
    @Rule("RV-26")
    void aReaderWaitsForWritersAndAWriterForReadersToo() {
        Fence reader = bed.fence();
        add(reader, READ);
        assertThat(resv.testSignaled(FenceUsage.waitedForBy(false))).isTrue();
        assertThat(resv.testSignaled(FenceUsage.waitedForBy(true))).isFalse();
        add(bed.fence(), WRITE); // a job that only reads may say so: everyone waits
        assertThat(resv.testSignaled(FenceUsage.waitedForBy(false))).isFalse();
    }

    @Test
    @Rule("RV-25")
    void aListOfFencesHasAReferenceOfEach() {
        Fence fence = bed.fence(900, 1);
        add(fence, READ);
        add(bed.fence(901, 1), BOOKKEEP);
        List<Fence> list = resv.getFences(READ);
        assertThat(list).containsExactly(fence);
        fence.signal();
        fence.put();
        resv.reserveFences(1);
        assertThat(bed.freed).hasValue(0);
        list.forEach(Fence::put);
        assertThat(bed.freed).hasValue(1);
    }

    @Test
    @Rule("RV-25")
    void oneFenceStandsForAll() {
        assertThat(resv.getSingleton(BOOKKEEP)).isNull();
        Fence first = bed.fence();
        add(first, READ);
        Fence single = resv.getSingleton(BOOKKEEP);
        assertThat(single).isSameAs(first);
        first.put();
        Fence second = bed.fence();
        add(second, READ);
        Fence array = resv.getSingleton(BOOKKEEP);
        assertThat(array).isNotNull();
        assertThat(array.isContainer()).isTrue();
        first.signal();
        assertThat(array.isSignaled()).isFalse();
        second.signal();
        assertThat(array.isSignaled()).isTrue();
        array.put();
        second.put();
        first.put();
        resv.reserveFences(1);
        assertThat(bed.freed).hasValue(2);
    }

    @Test
    @Rule("RV-25")
    void withoutMemoryNoReferenceIsLeftBehind() {
        Fence first = bed.fence();
        Fence second = bed.fence();
        add(first, READ);
        add(second, READ);
        for (String point : new String[] {"collect", "singleton"}) {
            try (Checkpoints.Armed armed = outOfMemory(point)) {
                assertThatThrownBy(() -> resv.getSingleton(READ)).hasMessage("ENOMEM: injected");
                assertThat(armed.hits()).isEqualTo(1);
            }
        }
        first.signal();
        second.signal();
        first.put();
        second.put();
        resv.reserveFences(1);
        assertThat(bed.freed).hasValue(2);
    }

    /**
     * {@return what a query gets while between its look at the first fence and the reference of it
     * somebody changes the list}
     */
    private <T> T meanwhile(Runnable change, Supplier<T> query) {
        AtomicBoolean changed = new AtomicBoolean();
        Runnable once =
                () -> {
                    if (changed.compareAndSet(false, true)) {
                        change.run();
                    }
                };
        try (Checkpoints.Armed armed = execution.checkpoints().arm("dmabuf.resv.read", once)) {
            T got = query.get();
            assertThat(armed.hits()).isPositive();
            return got;
        }
    }

    private void endsAndIsFreed(Fence fence) {
        int before = bed.freed.get();
        fence.signal();
        fence.put();
        assertThat(bed.freed).hasValue(before + 1);
    }

    @Test
    @Rule("RV-22")
    void aReaderThatFindsAFreedFenceGetsWhatTookItsPlace() {
        Fence first = bed.fence(900, 1);
        Fence second = bed.fence(900, 2);
        Fence third = bed.fence(900, 3);
        Fence fourth = bed.fence(900, 4);
        add(first, READ);
        assertThat(meanwhile(() -> follows(first, second), () -> seen(BOOKKEEP)))
                .containsExactly("2 READ");
        List<Fence> list = meanwhile(() -> follows(second, third), () -> resv.getFences(BOOKKEEP));
        assertThat(list).containsExactly(third);
        list.forEach(Fence::put);
        assertThat(meanwhile(() -> follows(third, fourth), () -> seen(BOOKKEEP)))
                .containsExactly("4 READ");
        assertThat(bed.violations()).isEmpty();
    }

    /** The next one of a timeline takes the cell, and the one before ends. */
    private void follows(Fence before, Fence next) {
        resv.addFence(next, READ); // in place: a slot more would make a new list
        endsAndIsFreed(before);
    }

    @Test
    @Rule("RV-22")
    void aReaderOfAnOldListPassesAFreedFenceAndStartsOver() {
        Fence first = bed.fence(900, 1);
        Fence second = bed.fence(900, 2);
        add(first, READ);
        List<Fence> list =
                meanwhile(
                        () -> {
                            resv.replaceFences(900, second, READ); // into a new list
                            endsAndIsFreed(first);
                        },
                        () -> resv.getFences(BOOKKEEP));
        assertThat(list).containsExactly(second);
        list.forEach(Fence::put);
        assertThat(bed.violations()).isEmpty();
    }

    @Test
    @Rule("RV-24")
    void aDeadlineGoesToEachFenceOfTheQuery() {
        add(bed.fence(900, 1), WRITE);
        add(bed.fence(901, 2), READ);
        resv.setDeadline(WRITE, 5);
        assertThat(bed.deadlines).containsExactly("900 by 5");
    }

    @Test
    void everyChangeIsTraced() {
        resv.unlock();
        List<?> events = bed.trace();
        resv.lock(bed.acquire());
        Fence fence = bed.fence(900, 1);
        resv.reserveFences(2);
        resv.addFence(fence, READ);
        resv.replaceFences(900, fence, READ);
        resv.copyFences(bed.reservation("empty"));
        resv.reserveFences(1);
        resv.unlock();
        String me = Thread.currentThread().getName();
        assertThat(events.stream().map(Object::toString))
                .containsExactly(
                        "ReservationLocked[reservation=system#17, thread=" + me + ", stamp=1]",
                        "FencesReserved[reservation=system#17, slots=2]",
                        "FenceAdded[reservation=system#17, usage=READ, context=900, seqno=1, overwrote=false]",
                        "FencesReplaced[reservation=system#17, replacedContext=900, usage=READ, context=900, seqno=1]",
                        "FencesCopied[reservation=system#17, source=empty, fences=0]",
                        "FencesReserved[reservation=system#17, slots=1]",
                        "ReservationUnlocked[reservation=system#17, thread="
                                + me
                                + ", slotsLost=1]");
    }
}
