package org.peerlane.memory.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;

@DisplayName("The page allocator")
class BuddyAllocatorTest {
    private static final long MIB = 1L << 20;
    private static final long HIGH = 1L << 32;

    private final Arena arena = Arena.ofConfined();
    private long usable = 1L << 40;
    private final BuddyAllocator pages = allocator();

    private BuddyAllocator allocator() {
        return new BuddyAllocator(
                new PlainExecution(),
                List.of(region(0, 8 * MIB), region(HIGH, 4 * MIB)),
                new Room("the test", () -> usable, 12 * MIB));
    }

    private MemoryRegion region(long at, long bytes) {
        return new MemoryRegion(
                "ram",
                AddressRange.ofLength(new PhysicalAddress(at), bytes),
                arena.allocate(bytes, 4096));
    }

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void handsOutTheLowestAddressFirstAndNeverTheFirstMib() {
        assertThat(pages.allocate(0)).isEqualTo(MIB);
        assertThat(pages.allocate(0)).isEqualTo(MIB + 4096);
        assertThat(pages.allocate(10)).isEqualTo(4 * MIB);
        assertThat(pages.allocate(10)).isEqualTo(HIGH);
        assertThat(pages.allocate(1)).isEqualTo(MIB + 8192);
    }

    @Test
    void countsWhatIsFree() {
        assertThat(pages.totalPages()).isEqualTo(11 * MIB / 4096);
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
        assertThat(pages.freeRuns(10)).isEqualTo(2);
        long page = pages.allocate(9);
        assertThat(pages.freePages()).isEqualTo(pages.totalPages() - 512);
        pages.free(page, 9);
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
    }

    @Test
    void saysEnomemWhenItIsEmptyAndRecovers() {
        List<Long> taken = new ArrayList<>();
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> {
                    while (true) {
                        taken.add(pages.allocate(0));
                    }
                })
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
        assertThat(taken).hasSize((int) pages.totalPages()).doesNotHaveDuplicates();
        taken.forEach(page -> pages.free(page, 0));
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
        assertThat(pages.freeRuns(PageAllocator.MAX_ORDER)).isEqualTo(2);
    }

    @Test
    void detectsADoubleFreeAWrongOrderAndAForeignAddress() {
        long page = pages.allocate(2);
        assertThatIllegalStateException()
                .isThrownBy(() -> pages.free(page, 1))
                .withMessageEndingWith("it is taken with 2");
        assertThatIllegalStateException().isThrownBy(() -> pages.free(page + 4096, 0));
        assertThatIllegalStateException().isThrownBy(() -> pages.free(page + 1, 2));
        pages.free(page, 2);
        assertThatIllegalStateException()
                .isThrownBy(() -> pages.free(page, 2))
                .withMessageEndingWith("it is not taken");
        assertThatIllegalStateException().isThrownBy(() -> pages.free(0, 0));
        assertThatIllegalStateException().isThrownBy(() -> pages.free(0xC000_0000L, 0));
        assertThatIllegalStateException().isThrownBy(() -> pages.free(-4096, 0));
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
    }

    @Test
    void refusesOrdersThatDoNotExist() {
        expect(Errno.EINVAL, () -> pages.allocate(-1));
        expect(Errno.EINVAL, () -> pages.allocate(11));
        expect(Errno.EINVAL, () -> pages.free(MIB, 11));
        expect(Errno.EINVAL, () -> pages.freeRuns(11));
        expect(Errno.EINVAL, () -> pages.failNth(-1));
    }

    @Test
    void failsExactlyTheAllocationThatIsAskedFor() {
        pages.failNth(2);
        long first = pages.allocate(0);
        expect(Errno.ENOMEM, () -> pages.allocate(0));
        long third = pages.allocate(0);
        pages.failNth(1);
        pages.failNth(0);
        long fourth = pages.allocate(0);
        for (long page : new long[] {first, third, fourth}) {
            pages.free(page, 0);
        }
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
    }

    @Test
    void saysEnomemBeforeTheFileSystemIsFullAndStillReusesPages() {
        usable = 64 * MIB + 5 * MIB;
        BuddyAllocator tight = allocator();
        long first = tight.allocate(8);
        expect(Errno.ENOMEM, () -> tight.allocate(10)); // from 4 MiB on: 8 MiB in all
        tight.free(first, 8);
        assertThat(tight.allocate(8)).isEqualTo(first);
        assertThat(tight.freePages()).isEqualTo(tight.totalPages() - 256);
    }

    @Test
    void noticesThatOthersHaveFilledTheFileSystem() {
        usable = 64 * MIB + 100 * MIB;
        BuddyAllocator shared = allocator();
        usable = 64 * MIB;
        expect(Errno.ENOMEM, () -> shared.allocate(0));
        usable = 64 * MIB + 100 * MIB;
        assertThat(shared.allocate(0)).isEqualTo(MIB);
    }

    @Test
    void failsTheNextOfOneOrderAndNoOther() {
        pages.failNext(3, 2);
        pages.free(pages.allocate(0), 0);
        expect(Errno.ENOMEM, () -> pages.allocate(3));
        pages.free(pages.allocate(4), 4);
        expect(Errno.ENOMEM, () -> pages.allocate(3));
        pages.free(pages.allocate(3), 3);
        pages.failNext(3, 1);
        pages.failNext(3, 0);
        pages.free(pages.allocate(3), 3);
        expect(Errno.EINVAL, () -> pages.failNext(11, 1));
        expect(Errno.EINVAL, () -> pages.failNext(0, -1));
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
    }

    private static void expect(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
