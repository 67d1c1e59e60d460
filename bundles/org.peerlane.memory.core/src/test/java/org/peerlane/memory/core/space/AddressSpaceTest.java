package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.memory.api.AddressSpace.END;
import static org.peerlane.memory.api.AddressSpace.MAP_ANONYMOUS;
import static org.peerlane.memory.api.AddressSpace.MAP_FIXED;
import static org.peerlane.memory.api.AddressSpace.MAP_FIXED_NOREPLACE;
import static org.peerlane.memory.api.AddressSpace.MAP_POPULATE;
import static org.peerlane.memory.api.AddressSpace.MAP_PRIVATE;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;
import static org.peerlane.memory.api.AddressSpace.PROT_EXEC;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.core.space.Board.ANONYMOUS;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.anonymous;
import static org.peerlane.memory.core.space.Board.expect;
import static org.peerlane.memory.core.space.Board.expectBus;
import static org.peerlane.memory.core.space.Board.expectSegv;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

@DisplayName("An address space")
class AddressSpaceTest {
    private static final long AT = 0x7000_0000_0000L;

    private final Board board = new Board(new LiveExecution("test"), 64);
    private final AddressSpace space = board.spaces.create("cat");

    @AfterEach
    void nothingLeaks() {
        board.close();
    }

    @Test
    void anonymousMemoryIsZeroOnDemand() {
        long low = board.memory.pages().allocate(7);
        board.memory.pages().free(low, 7);
        for (long at = low; at < low + 128 * PAGE; at += 8) {
            board.poke(at, -1); // what is handed out next has been used
        }
        CpuMapping mapping = anonymous(space, 4);
        long before = board.used();
        assertThat(space.load(mapping.first() + PAGE, 8)).isZero();
        assertThat(board.used() - before).isEqualTo(1 + 3); // the page and three tables
        space.store(mapping.first() + PAGE + 8, 4, 0x1_2345_6789L);
        assertThat(space.load(mapping.first() + PAGE + 8, 8)).isEqualTo(0x2345_6789L);
        assertThat(board.used() - before).isEqualTo(1 + 3);
        space.unmap(mapping.first(), 4 * PAGE);
        assertThat(board.used()).isEqualTo(before);
        assertThat(mapping.isAlive()).isFalse();
    }

    @Test
    void anEntryLooksAsOnX86() {
        CpuMapping mapping = anonymous(space, 1);
        assertThat(space.entry(mapping.first())).isZero();
        space.load(mapping.first(), 1);
        long clean = space.entry(mapping.first());
        assertThat(clean & 0xfff).isEqualTo(0b0010_0111); // accessed, user, writable, present
        assertThat(clean >>> 63).isOne();
        space.store(mapping.first(), 1, 1);
        assertThat(space.entry(mapping.first())).isEqualTo(clean | 0x40); // dirty
    }

    @Test
    void valuesCrossPagesAndAreLittleEndian() {
        CpuMapping mapping = anonymous(space, 2);
        long at = mapping.first() + PAGE - 3;
        space.store(at, 8, 0x0807_0605_0403_0201L);
        assertThat(space.load(at, 8)).isEqualTo(0x0807_0605_0403_0201L);
        assertThat(space.load(at + 2, 2)).isEqualTo(0x0403);
        assertThat(space.load(at + 7, 1)).isEqualTo(8);
        space.store(at + 7, 1, 0x1ff);
        assertThat(space.load(at + 4, 4)).isEqualTo(0xff07_0605L);
        expect(Errno.EINVAL, () -> space.load(at, 3));
    }

    @Test
    void bytesCrossPagesAndSections() {
        int length = 300_001;
        CpuMapping mapping = anonymous(space, 200);
        byte[] in = new byte[length + 2];
        for (int i = 0; i < in.length; i++) {
            in[i] = (byte) (i * 31 + i / 256);
        }
        space.write(mapping.first() + 5, MemorySegment.ofArray(in), 1, length);
        space.copy(mapping.first() + 5, mapping.first() + 100 * PAGE + 77, length);
        byte[] out = new byte[length + 2];
        space.read(mapping.first() + 100 * PAGE + 77, MemorySegment.ofArray(out), 1, length);
        out[0] = in[0];
        out[length + 1] = in[length + 1];
        assertThat(out).isEqualTo(in);
    }

    @Test
    void aTouchOfNothingIsASegmentationFaultAndACopyEfault() {
        CpuMapping mapping = anonymous(space, 1);
        long end = mapping.first() + PAGE;
        MemorySegment two = Board.bytes(1, 2);
        expectSegv(end, () -> space.load(end, 1));
        expectSegv(end, () -> space.load(end - 4, 8));
        expectSegv(end, () -> space.store(end, 4, 0));
        expectSegv(end, () -> space.write(end - 1, two, 0, 2));
        assertThat(space.load(end - 1, 1)).as("bytes before are done").isOne();
        expectSegv(end, () -> space.copy(end - 1, end, 1));
        expect(Errno.EFAULT, () -> space.copyToUser(end - 1, two, 0, 2));
        expect(Errno.EFAULT, () -> space.copyFromUser(end - 1, two, 0, 2));
        for (long wild : new long[] {0, 8, END, -1, -4096, Long.MIN_VALUE, 1L << 47}) {
            expectSegv(wild, () -> space.load(wild, 1));
            expect(Errno.EFAULT, () -> space.copyFromUser(wild, two, 0, 1));
        }
        space.read(0, two, 0, 0);
    }

    @Test
    void aWildAddressDoesNotAliasAMapping() {
        CpuMapping mapping = anonymous(space, 1);
        space.store(mapping.first(), 1, 1);
        long alias = mapping.first() | 1L << 48;
        expectSegv(alias, () -> space.load(alias, 1));
    }

    @Test
    void protectionIsKept() {
        CpuMapping mapping = space.map(0, 3 * PAGE, PROT_READ, ANONYMOUS, null, 0);
        long at = mapping.first();
        assertThat(space.load(at + PAGE, 8)).isZero();
        expectSegv(at + PAGE, () -> space.store(at + PAGE, 8, 1));
        space.protect(at + PAGE, PAGE, READ_WRITE);
        space.store(at + PAGE, 8, 7);
        assertThat(space.mappings())
                .extracting(CpuMapping::bytes)
                .containsExactly(PAGE, PAGE, PAGE);
        space.protect(at, 3 * PAGE, PROT_READ);
        expectSegv(at + PAGE, () -> space.store(at + PAGE, 8, 1));
        space.protect(at, 3 * PAGE, 0);
        expectSegv(at + PAGE, () -> space.load(at + PAGE, 8));
        space.protect(at, 3 * PAGE, PROT_READ | PROT_EXEC);
        assertThat(space.load(at + PAGE, 8)).isEqualTo(7);
        assertThat(space.entry(at + PAGE) >>> 63).isZero();
        space.protect(at, 3 * PAGE, READ_WRITE);
        space.store(at + PAGE, 8, 8);
        assertThat(space.load(at + PAGE, 8)).isEqualTo(8);
    }

    @Test
    void protectAnswersAsTheKernel() {
        CpuMapping mapping = anonymous(space, 2);
        long at = mapping.first();
        expect(Errno.EINVAL, () -> space.protect(at + 1, PAGE, PROT_READ));
        expect(Errno.EINVAL, () -> space.protect(at, PAGE, 8));
        expect(Errno.ENOMEM, () -> space.protect(at - PAGE, PAGE, PROT_READ));
        expect(Errno.ENOMEM, () -> space.protect(at, 3 * PAGE, PROT_READ));
        assertThat(mapping.protection()).as("what lies before is changed").isEqualTo(PROT_READ);
    }

    @Test
    void mapAnswersAsTheKernel() {
        expect(Errno.EINVAL, () -> map(0, 0, ANONYMOUS));
        expect(Errno.EINVAL, () -> map(0, PAGE, MAP_ANONYMOUS));
        expect(Errno.EINVAL, () -> map(0, PAGE, MAP_PRIVATE | MAP_SHARED | MAP_ANONYMOUS));
        expect(Errno.EINVAL, () -> map(0, PAGE, ANONYMOUS | 0x4));
        expect(Errno.EINVAL, () -> map(0, PAGE, MAP_PRIVATE));
        expect(Errno.EINVAL, () -> space.map(0, PAGE, 8, ANONYMOUS, null, 0));
        expect(Errno.EINVAL, () -> space.map(0, PAGE, 0, ANONYMOUS, null, 1));
        expect(Errno.EINVAL, () -> map(AT + 1, PAGE, ANONYMOUS | MAP_FIXED));
        expect(Errno.ENOMEM, () -> map(END, PAGE, ANONYMOUS | MAP_FIXED));
        expect(Errno.ENOMEM, () -> map(-4096, PAGE, ANONYMOUS | MAP_FIXED));
        expect(Errno.EPERM, () -> map(0, PAGE, ANONYMOUS | MAP_FIXED));
        expect(Errno.ENOMEM, () -> map(0, -1, ANONYMOUS));
        expect(Errno.ENOMEM, () -> map(0, END + 1, ANONYMOUS));
        expect(Errno.ENOMEM, () -> map(0, END, ANONYMOUS));
        expect(Errno.EOVERFLOW, () -> space.map(0, PAGE, 0, ANONYMOUS, null, -4096));
        map(AT, PAGE, ANONYMOUS | MAP_FIXED_NOREPLACE);
        expect(Errno.EEXIST, () -> map(AT - PAGE, 3 * PAGE, ANONYMOUS | MAP_FIXED_NOREPLACE));
        expect(Errno.EEXIST, () -> map(AT, PAGE, ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_FIXED));
    }

    private CpuMapping map(long address, long bytes, int flags) {
        return space.map(address, bytes, READ_WRITE, flags, null, 0);
    }

    @Test
    void unmapAnswersAsTheKernel() {
        expect(Errno.EINVAL, () -> space.unmap(1, PAGE));
        expect(Errno.EINVAL, () -> space.unmap(0, 0));
        expect(Errno.EINVAL, () -> space.unmap(END, PAGE));
        expect(Errno.EINVAL, () -> space.unmap(0, -1));
        space.unmap(0, END);
        space.unmap(AT, 1);
    }

    @Test
    void aFixedMappingReplacesAndAWishIsTakenIfItIsFree() {
        CpuMapping first = map(AT, 3 * PAGE, ANONYMOUS | MAP_FIXED);
        space.store(AT + PAGE, 8, 5);
        CpuMapping second = map(AT + PAGE, PAGE, ANONYMOUS | MAP_FIXED);
        assertThat(space.load(AT + PAGE, 8)).isZero();
        assertThat(first.bytes()).isEqualTo(PAGE);
        assertThat(space.find(AT + PAGE)).isSameAs(second);
        assertThat(map(AT - 2 * PAGE - 5, PAGE, ANONYMOUS).first()).isEqualTo(AT - 2 * PAGE);
        assertThat(map(AT + PAGE, PAGE, ANONYMOUS).first()).isNotEqualTo(AT + PAGE);
    }

    @Test
    void chosenAddressesFillGapsFromTheTop() {
        CpuMapping a = anonymous(space, 4);
        CpuMapping b = anonymous(space, 4);
        assertThat(b.first()).isEqualTo(a.first() - 4 * PAGE);
        space.unmap(a.first() + PAGE, 2 * PAGE);
        assertThat(anonymous(space, 3).first()).isEqualTo(b.first() - 3 * PAGE);
        assertThat(anonymous(space, 2).first()).isEqualTo(a.first() + PAGE);
    }

    @Test
    void anUnmapOfTheMiddleLeavesTwo() {
        CpuMapping mapping = anonymous(space, 5);
        long at = mapping.first();
        for (int i = 0; i < 5; i++) {
            space.store(at + i * PAGE, 8, i + 1);
        }
        space.unmap(at + 2 * PAGE, PAGE);
        assertThat(mapping.bytes()).isEqualTo(2 * PAGE);
        assertThat(space.mappings()).hasSize(2);
        assertThat(space.load(at + PAGE, 8)).isEqualTo(2);
        expectSegv(at + 2 * PAGE, () -> space.load(at + 2 * PAGE, 8));
        assertThat(space.load(at + 3 * PAGE, 8)).isEqualTo(4);
    }

    @Test
    void populateTakesPagesAtOnce() {
        long before = board.used();
        CpuMapping mapping = map(0, 600 * PAGE, ANONYMOUS | MAP_POPULATE);
        assertThat(board.used() - before).isEqualTo(600 + space.tablePages() - 1);
        mapping.zap(mapping.first() + PAGE, 599 * PAGE);
        assertThat(board.used() - before).isEqualTo(1 + space.tablePages() - 1);
        assertThat(space.load(mapping.first() + 8 * PAGE, 8)).isZero();
    }

    @Test
    void sparseMappingsAcrossAllOfItLeaveNoTableBehind() {
        long before = space.tablePages();
        for (long at = 1L << 30; at < END - (1L << 40); at += 1L << 40) {
            map(at, PAGE, ANONYMOUS | MAP_FIXED);
            space.store(at, 8, at);
        }
        assertThat(space.tablePages()).isGreaterThan(before + 2 * 127);
        for (long at = 1L << 30; at < END - (1L << 40); at += 1L << 40) {
            assertThat(space.load(at, 8)).isEqualTo(at);
        }
        space.unmap(0, END);
        assertThat(space.tablePages()).isEqualTo(before);
    }

    @Test
    void withoutAPageATouchIsABusErrorAndACopyEfault() {
        CpuMapping mapping = anonymous(space, 4);
        space.store(mapping.first(), 1, 1);
        long next = mapping.first() + PAGE;
        board.memory.pages().failNext(0, 1);
        expectBus(next, () -> space.store(next, 1, 1));
        board.memory.pages().failNext(0, 1);
        expect(Errno.EFAULT, () -> space.copyToUser(next, Board.bytes(1), 0, 1));
        board.memory.pages().failNext(0, 1);
        expect(Errno.ENOMEM, () -> space.pin(next, 1, 0));
        space.store(next, 1, 1);
    }

    @Test
    void eachAllocationOfAFaultMayFailAndTheNextTryWorks() {
        for (int nth = 1; nth <= 4; nth++) {
            CpuMapping mapping = anonymous(space, 1);
            long before = board.used();
            board.memory.pages().failNth(nth);
            expectBus(mapping.first(), () -> space.load(mapping.first(), 1));
            space.load(mapping.first(), 1);
            assertThat(board.used()).isEqualTo(before + 4);
            space.unmap(mapping.first(), PAGE);
        }
        board.memory.pages().failNth(1);
        expect(Errno.ENOMEM, () -> board.spaces.create("none"));
    }

    @Test
    void aClosedOneIsASegmentationFault() {
        CpuMapping mapping = anonymous(space, 1);
        space.store(mapping.first(), 1, 1);
        space.close();
        space.close();
        assertThat(board.used()).isZero();
        expectSegv(mapping.first(), () -> space.load(mapping.first(), 1));
        expect(Errno.ENOENT, () -> anonymous(space, 1));
        assertThat(mapping.isAlive()).isFalse();
        mapping.zap(mapping.first(), PAGE);
    }

    @Test
    void tooManyMappingsAreEnomem() {
        for (int i = 0; i < AddressSpace.MAX_MAPPINGS; i++) {
            map(AT + 3 * i * PAGE, 3 * PAGE, ANONYMOUS | MAP_FIXED);
        }
        expect(Errno.ENOMEM, () -> anonymous(space, 1));
        expect(Errno.ENOMEM, () -> space.unmap(AT + PAGE, PAGE));
        expect(Errno.ENOMEM, () -> space.protect(AT + PAGE, PAGE, PROT_READ));
        space.unmap(AT, 2 * PAGE);
        assertThat(space.mappings()).hasSize(AddressSpace.MAX_MAPPINGS);
    }

    @Test
    void ramThatHasGoneIsABusErrorAndNoErrorOfTheJvm() {
        try (Board other = new Board(new LiveExecution("other"), 16)) {
            AddressSpace its = other.spaces.create("dog");
            CpuMapping mapping = anonymous(its, 1);
            its.store(mapping.first(), 8, 1);
            its.close();
        }
        Board gone = new Board(new LiveExecution("gone"), 16);
        AddressSpace its = gone.spaces.create("dog");
        CpuMapping mapping = anonymous(its, 1);
        its.store(mapping.first(), 8, 1);
        gone.memory.close();
        expectBus(mapping.first(), () -> its.load(mapping.first(), 8));
        expectBus(mapping.first(), () -> its.store(mapping.first(), 8, 2));
        expectBus(mapping.first(), () -> its.read(mapping.first(), Board.bytes(0), 0, 1));
        expectBus(mapping.first(), () -> its.copy(mapping.first(), mapping.first() + 64, 8));
        expect(Errno.EFAULT, () -> its.copyFromUser(mapping.first(), Board.bytes(0), 0, 1));
    }
}
