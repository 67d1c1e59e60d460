package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

/** Property {@code peerlane.table.ops}: how many operations per format, 40,000 by default. */
@DisplayName("A page table against a plain map")
@Rule("PT-30")
@Rule("PT-31")
@Rule("PT-35")
@Rule("PT-36")
@Rule("PT-41")
@Rule("PT-42")
@Rule("PT-45")
class RandomisedTableTest {
    private static final long OPS = Long.getLong("peerlane.table.ops", 40_000);

    static Format[] formats() {
        return new Format[] {
            Format.amdV1(5),
            Format.amdV1(3).withPageSizes(1L << 12 | 1L << 21).withEncryptionBit(50),
            Format.vtdSecondStage(2),
            Format.vtdSecondStage(4).withPageSizes(1L << 12 | 1L << 30),
            Format.x86FirstStage(4, true),
        };
    }

    /** A leaf: where to, how large, and how. */
    private record Leaf(long physical, long bytes, int protection) {}

    @ParameterizedTest
    @MethodSource("formats")
    void answersTheSame(Format format) {
        Random random = new Random(format.hashCode());
        for (long done = 0; done < OPS; done += 2_000) {
            try (Fixture f = new Fixture(format, 1_024)) {
                new Round(f, format, random).run(2_000);
            }
        }
    }

    private static final class Round {
        private final Fixture f;
        private final Format format;
        private final Random random;
        private final TreeMap<Long, Leaf> model = new TreeMap<>();
        private final long[] bases;

        Round(Fixture f, Format format, Random random) {
            this.f = f;
            this.format = format;
            this.random = random;
            long last = f.table.lastIova();
            bases = new long[] {0, 1L << 30, 3L << 21, last - (1L << 31) + 1 & last, 1L << 38};
        }

        void run(int operations) {
            for (int i = 0; i < operations; i++) {
                switch (random.nextInt(4)) {
                    case 0 -> map();
                    case 1 -> unmap();
                    default -> look(iova() + random.nextInt(4096));
                }
            }
            int unflushed = f.flushes.size();
            for (Map.Entry<Long, Leaf> e : model.entrySet()) {
                look(e.getKey());
                look(e.getKey() + e.getValue().bytes() - 1);
            }
            assertThat(f.flushes).hasSize(unflushed);
        }

        private long iova() {
            long base = bases[random.nextInt(bases.length)];
            return base + pages();
        }

        /** Up to 2 MiB in pages or, now and then, some MiB or a GiB in large steps. */
        private long pages() {
            return switch (random.nextInt(8)) {
                case 0 -> (long) random.nextInt(8) << 21;
                case 1 -> random.nextInt(4) == 0 ? (long) random.nextInt(2) << 30 : 0;
                default -> (long) random.nextInt(512) << 12;
            };
        }

        private long length() {
            return switch (random.nextInt(10)) {
                case 0 -> (long) (1 + random.nextInt(3)) << 21;
                case 1 -> random.nextInt(8) == 0 ? 1L << 30 : 4096;
                case 2 -> 1 + random.nextInt(100_000);
                default -> (long) (1 + random.nextInt(48)) << 12;
            };
        }

        private void map() {
            long iova = iova();
            long physical = random.nextInt(3) == 0 ? pages() + (1L << 34) : iova & (1L << 40) - 1;
            long bytes = length();
            if (((iova | physical) & (1L << 21) - 1) != 0) {
                bytes = Math.min(bytes, 1L << 21); // a GiB of small pages is no better test
            }
            int protection = 1 + random.nextInt(3);
            int nth = random.nextInt(30);
            f.memory.failNth(nth == 0 ? 1 + random.nextInt(3) : 0);

            long done = 0;
            Errno expected = null;
            while (done < bytes && expected == null) {
                long size = sizeModel(iova + done, physical + done, bytes - done);
                if (size == 0) {
                    expected = Errno.ENXIO;
                } else if (!free(iova + done, size)) {
                    expected = Errno.EADDRINUSE;
                } else if (beyond(iova + done, size)) {
                    expected = Errno.ERANGE;
                } else {
                    done += size;
                }
            }
            boolean wide =
                    Long.compareUnsigned(iova + bytes - 1, f.table.lastIova()) > 0
                            || Long.compareUnsigned(iova + bytes - 1, iova) < 0;
            long mapped = bytes;
            Errno errno = null;
            try {
                f.table.map(iova, physical, bytes, protection);
            } catch (MapFailed e) {
                mapped = e.mapped();
                errno = e.errno();
            } catch (ErrnoException e) {
                mapped = 0;
                errno = e.errno();
            }
            f.memory.failNth(0);
            if (wide) {
                assertThat(errno).isIn(Errno.ERANGE, Errno.EOVERFLOW);
            } else if (errno != Errno.ENOMEM) {
                assertThat(errno).as("map %x %x %x", iova, physical, bytes).isEqualTo(expected);
                assertThat(mapped).isEqualTo(done);
            } else {
                assertThat(nth == 0 || f.memory.freePages() == 0).isTrue();
                assertThat(mapped).isLessThan(bytes);
            }
            for (long at = 0; at < mapped; ) {
                long size = sizeModel(iova + at, physical + at, bytes - at);
                model.put(iova + at, new Leaf(physical + at, size, protection));
                at += size;
            }
        }

        private boolean beyond(long iova, long size) {
            return Long.compareUnsigned(iova + size - 1, f.table.lastIova()) > 0;
        }

        /** The definition: the largest size that divides both and is not longer than the rest. */
        private long sizeModel(long iova, long physical, long bytes) {
            for (int lg2 = 51; lg2 >= 12; lg2--) {
                long size = 1L << lg2;
                if ((format.pageSizes() & size) != 0
                        && ((iova | physical) & size - 1) == 0
                        && size <= bytes) {
                    return size;
                }
            }
            return 0;
        }

        private boolean free(long iova, long size) {
            Map.Entry<Long, Leaf> below = model.floorEntry(iova + size - 1);
            return below == null || below.getKey() + below.getValue().bytes() <= iova;
        }

        private void unmap() {
            long iova = iova();
            if (random.nextInt(3) > 0 && !model.isEmpty()) {
                Map.Entry<Long, Leaf> near = model.ceilingEntry(iova);
                iova = near == null ? model.firstKey() : near.getKey();
            }
            long bytes = random.nextInt(12) == 0 ? 1L << 30 : length();
            long expected = 0;
            if (Long.compareUnsigned(iova + bytes - 1, f.table.lastIova()) <= 0
                    && Long.compareUnsigned(iova + bytes - 1, iova) >= 0) {
                for (Leaf leaf = model.get(iova);
                        leaf != null && expected < bytes;
                        leaf = model.get(iova + expected)) {
                    model.remove(iova + expected);
                    expected += leaf.bytes();
                }
            }
            assertThat(f.unmap(iova, bytes)).as("unmap %x %x", iova, bytes).isEqualTo(expected);
        }

        private void look(long iova) {
            Map.Entry<Long, Leaf> below = model.floorEntry(iova);
            Leaf leaf = below == null ? null : below.getValue();
            if (below == null || leaf == null || below.getKey() + leaf.bytes() <= iova) {
                assertThat(f.table.physicalOf(iova)).as("%x", iova).isEqualTo(-1);
                boolean outside = Long.compareUnsigned(iova, f.table.lastIova()) > 0;
                assertThat(f.walk.of(f.table, iova, true)).isEqualTo(outside ? 4 : 5);
                return;
            }
            long offset = iova - below.getKey();
            assertThat(f.table.physicalOf(iova)).isEqualTo(leaf.physical() + offset);
            boolean write = (leaf.protection() & Fixture.W) != 0;
            assertThat(f.walk.of(f.table, iova, write)).as("%x", iova).isZero();
            assertThat(f.walk.physical).isEqualTo(leaf.physical() + offset);
            assertThat(f.walk.leafIova).isEqualTo(below.getKey());
            assertThat(f.walk.leafBytes).isEqualTo(leaf.bytes());
            boolean readable = format.kind() == Format.Kind.X86_FIRST_STAGE;
            assertThat(f.walk.permissions)
                    .isEqualTo(readable ? leaf.protection() | Fixture.R : leaf.protection());
        }
    }
}
