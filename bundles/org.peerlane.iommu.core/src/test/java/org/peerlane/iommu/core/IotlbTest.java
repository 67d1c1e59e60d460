package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.testkit.Rule;

@DisplayName("IOTLB")
class IotlbTest {
    private static final int READ = PageTable.READ;
    private static final int RW = PageTable.READ | PageTable.WRITE;
    private static final long IOVA = 0x7_4000_0000L;
    private static final long TO = 0x1_0000_0000L;

    private final Iotlb tlb = new Iotlb();

    private void put(int tag, long iova, long physical, int permissions, long bytes) {
        tlb.put(tag, iova, physical, permissions, bytes, tlb.generation().number());
    }

    private long find(int tag, long iova) {
        long value = tlb.find(tag, iova, READ);
        return value == 0 ? -1 : Iotlb.physical(value, iova);
    }

    @ParameterizedTest(name = "leaf of 2^{0} is kept in pages of 2^{1}")
    @CsvSource({"12, 12", "13, 12", "15, 12", "16, 16", "20, 16", "21, 21", "30, 30", "51, 30"})
    void aLeafIsKeptAtTheLargestSizeThatItCovers(int leafLg2, int keptLg2) {
        long inside = 0x234L;
        put(1, IOVA + inside, TO + inside, RW, 1L << leafLg2);
        assertThat(Iotlb.bytes(tlb.find(1, IOVA, READ))).isEqualTo(1L << keptLg2);
        long last = (1L << keptLg2) - 1;
        assertThat(find(1, IOVA + last)).isEqualTo(TO + last);
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
        assertThat(tlb.find(1025, IOVA, PageTable.WRITE)).isZero();
        assertThat(tlb.find(large, IOVA, PageTable.WRITE)).isNotZero();
        put(1025, IOVA, TO, RW, 4096);
        assertThat(tlb.find(1025, IOVA, PageTable.WRITE)).as("replaced").isNotZero();
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
        tlb.invalidate(2);
        assertThat(tlb.size()).isZero();
    }

    @Rule("PT-51")
    @Test
    void whatWasWalkedBeforeAnInvalidationIsNotKeptAfterIt() {
        long before = tlb.generation().number();
        tlb.invalidate(7, 0, 4095);
        tlb.put(1, IOVA, TO, RW, 4096, before);
        assertThat(tlb.size()).isZero();
    }

    @Test
    void moreEntriesThanThereIsRoomForPushOthersOut() {
        for (long page = 0; page < 4096; page++) {
            put(1, page << 12, TO + (page << 12), RW, 4096);
            assertThat(find(1, page << 12)).isEqualTo(TO + (page << 12));
        }
        assertThat(tlb.size()).isEqualTo(384);
        tlb.invalidateAll();
        assertThat(tlb.size()).isZero();
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
