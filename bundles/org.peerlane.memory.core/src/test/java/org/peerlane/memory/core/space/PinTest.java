package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.memory.api.AddressSpace.END;
import static org.peerlane.memory.api.AddressSpace.PIN_CHARGE;
import static org.peerlane.memory.api.AddressSpace.PIN_LONGTERM;
import static org.peerlane.memory.api.AddressSpace.PIN_WRITE;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.core.space.Board.ANONYMOUS;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.anonymous;
import static org.peerlane.memory.core.space.Board.expect;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.PageReferences;
import org.peerlane.memory.api.PinnedPages;
import org.peerlane.testkit.Rule;

@DisplayName("Pinned user pages")
class PinTest {
    private static final int WRITE_FOR_LONG = PIN_WRITE | PIN_LONGTERM | PIN_CHARGE;

    private final Board board = new Board(new LiveExecution("test"), 64);
    private final PageReferences pages = board.spaces.pages();
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("cat");

    @AfterEach
    void nothingLeaks() {
        board.close();
    }

    @Test
    void stayThroughUnmapAndExitUntilTheyAreUnpinned() {
        CpuMapping mapping = anonymous(space, 1300);
        space.store(mapping.first() + PAGE, 8, 5);
        PinnedPages pinned = space.pin(mapping.first() + 8, 1300 * PAGE - 8, WRITE_FOR_LONG);
        assertThat(pinned.count()).isEqualTo(1300);
        assertThat(board.peek(pinned.physical(1))).isEqualTo(5);
        assertThat(pages.pins(pinned.physical(1))).isOne();
        assertThat(pages.count(pinned.physical(1))).isEqualTo(2);
        board.poke(pinned.physical(1), 6);
        assertThat(space.load(mapping.first() + PAGE, 8)).isEqualTo(6);
        space.close();
        assertThat(board.used()).isEqualTo(1300);
        assertThat(board.peek(pinned.physical(1))).isEqualTo(6);
        pinned.unpin(true);
        assertThat(board.used()).isZero();
        assertThatIllegalStateException().isThrownBy(() -> pinned.unpin(false));
    }

    @Test
    void countARangeByThePagesItTouches() {
        CpuMapping mapping = anonymous(space, 3);
        PinnedPages two = space.pin(mapping.first() + PAGE - 1, 2, 0);
        assertThat(two.count()).isEqualTo(2);
        two.unpin(false);
        PinnedPages one = space.pin(mapping.first(), PAGE, 0);
        assertThat(one.count()).isOne();
        one.unpin(false);
    }

    @Test
    void tellWhatIsContiguous() {
        long hole = board.memory.pages().allocate(0);
        CpuMapping mapping = anonymous(space, 6);
        for (int i : new int[] {0, 1, 2, 5, 3, 4}) {
            space.store(mapping.first() + i * PAGE, 1, 1);
        }
        PinnedPages pinned = space.pin(mapping.first(), 6 * PAGE, 0);
        for (int i = 0; i < 6; i++) {
            int run = 1;
            while (i + run < 6 && pinned.physical(i + run) == pinned.physical(i) + run * PAGE) {
                run++;
            }
            assertThat(pinned.contiguous(i)).as("from %d", i).isEqualTo(run);
        }
        assertThat(pinned.contiguous(5)).isOne();
        pinned.unpin(false);
        board.memory.pages().free(hole, 0);
    }

    @Test
    void areDirtyIfTheUnpinSaysSo() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 2)) {
            CpuMapping mapping = exporter.map(space, PROT_READ);
            space.pin(mapping.first(), PAGE, 0).unpin(true);
            space.pin(mapping.first() + PAGE, PAGE, 0).unpin(false);
            assertThat(pages.isDirty(exporter.pages[0])).isTrue();
            assertThat(pages.isDirty(exporter.pages[1])).isFalse();
        }
    }

    @Test
    void areZappedFromThePageTableAndStayPinned() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 1)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            PinnedPages pinned = space.pin(mapping.first(), 1, PIN_WRITE);
            exporter.revoke();
            assertThat(space.entry(mapping.first())).isZero();
            assertThat(pages.pins(exporter.pages[0])).isOne();
            pinned.unpin(false);
        }
    }

    @Test
    @Rule("IO-48")
    void areRefusedForMemoryWithoutPages() {
        try (Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            space.store(mapping.first(), 1, 1);
            expect(Errno.EFAULT, () -> space.pin(mapping.first(), 1, PIN_LONGTERM));
            assertThat(pages.pins(exporter.pages[0])).isZero();
        }
    }

    @Test
    void areAllOrNothing() {
        CpuMapping mapping = anonymous(space, 4);
        space.pin(mapping.first(), 4 * PAGE, 0).unpin(false);
        space.unmap(mapping.first() + 3 * PAGE, PAGE);
        expect(Errno.EFAULT, () -> space.pin(mapping.first(), 4 * PAGE, WRITE_FOR_LONG));
        assertThat(pages.pins(space.entry(mapping.first()) & Pte.FRAME)).isZero();
        assertThat(space.lockedMemory().pages()).isZero();
        space.protect(mapping.first() + PAGE, PAGE, PROT_READ);
        expect(Errno.EFAULT, () -> space.pin(mapping.first(), 3 * PAGE, PIN_WRITE));
        space.pin(mapping.first(), 3 * PAGE, 0).unpin(false);
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 1)) {
            CpuMapping other = exporter.map(space, READ_WRITE);
            exporter.revoke();
            expect(Errno.EFAULT, () -> space.pin(other.first(), 1, 0));
        }
    }

    @Test
    void checkWhatTheyAreGiven() {
        CpuMapping mapping = space.map(0, PAGE, PROT_READ, ANONYMOUS, null, 0);
        expect(Errno.EINVAL, () -> space.pin(mapping.first(), 0, 0));
        expect(Errno.EINVAL, () -> space.pin(mapping.first(), -1, 0));
        expect(Errno.EINVAL, () -> space.pin(mapping.first(), 1, 8));
        expect(Errno.EFAULT, () -> space.pin(END, 1, 0));
        expect(Errno.EFAULT, () -> space.pin(-1, 1, 0));
        expect(Errno.EFAULT, () -> space.pin(0, 1, 0));
    }

    @Test
    void areChargedUpToTheLimit() {
        CpuMapping mapping = anonymous(space, 4);
        space.lockedMemory().limitBytes(3 * PAGE + 1);
        expect(Errno.ENOMEM, () -> space.pin(mapping.first(), 4 * PAGE, WRITE_FOR_LONG));
        PinnedPages two = space.pin(mapping.first(), 2 * PAGE, WRITE_FOR_LONG);
        assertThat(space.lockedMemory().pages()).isEqualTo(2);
        expect(Errno.ENOMEM, () -> space.pin(mapping.first(), 2 * PAGE, WRITE_FOR_LONG));
        space.lockedMemory().charge(1);
        expect(Errno.ENOMEM, () -> space.lockedMemory().charge(1));
        expect(Errno.ENOMEM, () -> space.lockedMemory().charge(Long.MAX_VALUE));
        two.unpin(false);
        space.lockedMemory().uncharge(1);
        assertThatIllegalStateException().isThrownBy(() -> space.lockedMemory().uncharge(1));
        expect(Errno.EINVAL, () -> space.lockedMemory().limitBytes(-1));
    }

    @Test
    void aPageThatNobodyHoldsCannotBeHeldOrLetGo() {
        long page = pages.allocate();
        pages.get(page);
        pages.put(page);
        assertThat(pages.count(page)).isOne();
        pages.put(page);
        assertThatIllegalStateException().isThrownBy(() -> pages.put(page));
        assertThatIllegalStateException().isThrownBy(() -> pages.get(page));
        assertThatIllegalStateException().isThrownBy(() -> pages.get(1L << 45));
        assertThat(pages.count(page)).isZero();
    }
}
