package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.iommu.core.table.Walk;
import org.peerlane.testkit.Rule;

@DisplayName("IOTLB")
class IotlbTest {
    private static final int READ = PageTable.READ;
    private static final int RW = PageTable.READ | PageTable.WRITE;
    private static final long IOVA = 0x7_4000_0000L;
    private static final long TO = 0x1_0000_0000L;

    private final LiveExecution execution = new LiveExecution("iotlb");
    private final Iotlb tlb = new Iotlb(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    private IotlbBank bank() {
        return Objects.requireNonNull(tlb.bank());
    }

    private void put(int tag, long iova, long physical, int permissions, long bytes) {
        long leaf = physical & -bytes | Long.numberOfTrailingZeros(bytes) << 2 | permissions;
        if (bytes == 4096) {
            bank().putSmall(tag, iova, leaf);
        } else {
            bank().put(tag, iova, leaf);
        }
    }

    private long value(int tag, long iova, int need) {
        long value = bank().findSmall(tag, iova, need);
        return value != 0 ? value : tlb.findLargeOrElsewhere(bank(), tag, iova, need);
    }

    private long find(int tag, long iova) {
        long value = value(tag, iova, READ);
        return value == 0 ? -1 : Walk.physical(value, iova);
    }

    @ParameterizedTest(name = "leaf of 2^{0} is kept in pages of 2^{1}")
    @CsvSource({"12, 12", "13, 12", "15, 12", "16, 16", "20, 16", "21, 21", "30, 30", "51, 30"})
    void aLeafIsKeptAtTheLargestSizeThatItCovers(int leafLg2, int keptLg2) {
        long inside = 0x234L;
        long to = TO & -1L << leafLg2 | IOVA & (1L << leafLg2) - 1;
        put(1, IOVA + inside, to + inside, RW, 1L << leafLg2);
        assertThat(Walk.bytes(value(1, IOVA, READ))).isEqualTo(1L << keptLg2);
        long last = (1L << keptLg2) - 1;
        assertThat(find(1, IOVA + last)).isEqualTo(to + last);
        assertThat(find(1, IOVA + last + 1)).isEqualTo(-1);
    }

    @Test
    void anEntryIsFoundByItsDomainAndPermissionOnly() {
        int large = Iotlb.TAGS - 1;
        put(1025, IOVA, TO, READ, 4096);
        put(large, IOVA, 2 * TO, RW, 4096);
        assertThat(find(1025, IOVA)).isEqualTo(TO);
        assertThat(find(1, IOVA)).as("same low bits").isEqualTo(-1);
        assertThat(find(large, IOVA)).isEqualTo(2 * TO);
        assertThat(value(1025, IOVA, PageTable.WRITE)).isZero();
        assertThat(value(large, IOVA, PageTable.WRITE)).isNotZero();
        put(1025, IOVA, TO, RW, 4096);
        assertThat(value(1025, IOVA, PageTable.WRITE)).as("replaced").isNotZero();
    }

    @Rule("PT-51")
    @Test
    void anInvalidationForgetsEverySizeThatTouchesItsRangeAndNothingElse() {
        put(1, IOVA, TO, RW, 1L << 30);
        put(1, IOVA + (1L << 30), TO, RW, 4096);
        put(2, IOVA, TO, RW, 4096);
        tlb.invalidate(1, IOVA + 0x5000, IOVA + 0x5FFF);
        assertThat(find(1, IOVA)).isEqualTo(-1);
        assertThat(find(1, IOVA + (1L << 30))).isNotEqualTo(-1);
        assertThat(find(2, IOVA)).isNotEqualTo(-1);
        put(1, IOVA, TO, RW, 1L << 21);
        tlb.invalidate(1, IOVA, IOVA + (1L << 31)); // swept
        assertThat(find(1, IOVA)).isEqualTo(-1);
        assertThat(find(1, IOVA + (1L << 30))).isEqualTo(-1);
        tlb.invalidate(2, 0, -1);
        assertThat(tlb.entries()).isEmpty();
    }

    @Rule("PT-51")
    @Test
    void whoeverKeepsAnythingIsSeen() {
        long before = tlb.version();
        put(1, IOVA, TO, RW, 4096);
        assertThat(tlb.version()).isGreaterThan(before);
        before = tlb.version();
        tlb.invalidate(7, 0, 4095);
        assertThat(find(1, IOVA)).isEqualTo(TO);
        assertThat(tlb.version()).as("nothing was kept").isEqualTo(before);
    }

    @Rule("PT-51")
    @Test
    void whatAThreadHasKeptEveryThreadFindsUntilItIsInvalidated() throws InterruptedException {
        put(1, IOVA, TO, RW, 4096);
        long[] found = new long[3];
        Thread other =
                Thread.ofPlatform()
                        .start(() -> {
                            found[0] = find(1, IOVA);
                            put(1, IOVA + 4096, TO + 4096, READ, 4096);
                            put(1, IOVA + (1L << 30), 2 * TO, READ, 1L << 21);
                        });
        other.join();
        assertThat(found[0]).isEqualTo(TO);
        assertThat(find(1, IOVA + 4096)).isEqualTo(TO + 4096);
        assertThat(find(1, IOVA + (1L << 30) + 5)).isEqualTo(2 * TO + 5);
        tlb.invalidate(1, IOVA, IOVA + 2 * 4096 - 1);
        assertThat(find(1, IOVA)).isEqualTo(-1);
        assertThat(find(1, IOVA + 4096)).isEqualTo(-1);
        assertThat(find(1, IOVA + (1L << 30))).isEqualTo(2 * TO);
        tlb.invalidateAll();
        assertThat(tlb.entries()).isEmpty();
    }

    @Test
    void banksGoFromThreadsThatHaveEndedToThoseThatCome() throws InterruptedException {
        for (int i = 0; i < 3 * Iotlb.BANKS; i++) {
            long iova = IOVA + 4096L * i;
            Thread.ofPlatform().start(() -> put(1, iova, TO, READ, 4096)).join();
        }
        assertThat(tlb.entries()).hasSize(3 * Iotlb.BANKS);
    }

    @Test
    void moreEntriesThanThereIsRoomForPushOthersOut() {
        for (long page = 0; page < 4096; page++) {
            put(1, page << 12, TO + (page << 12), RW, 4096);
            assertThat(find(1, page << 12)).isEqualTo(TO + (page << 12));
        }
        assertThat(tlb.entries()).hasSize(512);
        tlb.invalidateAll();
        assertThat(tlb.entries()).isEmpty();
    }

    @Test
    void readersOnOtherThreadsNeverSeeHalfAnEntry() throws InterruptedException {
        Thread[] threads = new Thread[3];
        int[] wrong = new int[threads.length];
        int[] hits = new int[threads.length];
        for (int t = 0; t < threads.length; t++) {
            int me = t;
            threads[t] =
                    Thread.ofPlatform()
                            .start(() -> {
                                for (long i = 0; i < 400_000; i++) {
                                    long iova = (i * 31 & 0xFFF) << 19; // all in few sets
                                    if (i % 3 == me) {
                                        put(1, iova, iova ^ TO, RW, 4096);
                                    }
                                    if (i % 5000 == 0) {
                                        tlb.invalidate(1, iova, iova + 4095);
                                    }
                                    long found = find(1, iova);
                                    hits[me] += found == -1 ? 0 : 1;
                                    wrong[me] += found == -1 || found == (iova ^ TO) ? 0 : 1;
                                }
                            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).containsOnly(0);
        assertThat(hits).doesNotContain(0);
    }
}
