package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.memory.api.AddressSpace.MAP_ANONYMOUS;
import static org.peerlane.memory.api.AddressSpace.MAP_FIXED;
import static org.peerlane.memory.api.AddressSpace.MAP_PRIVATE;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.SegmentationFault;

@DisplayName("Random mappings")
class RandomMappingTest {
    private static final int OPERATIONS = 100_000;
    private static final int PAGES = 96;
    private static final int OBJECT_PAGES = 40;

    /** So that the pages lie in three leaf tables and two tables above. */
    private static final long BASE = (1L << 39) + (1L << 30) - 32 * PAGE;

    /** What the model knows of one page. */
    private static final class Slot {
        int protection = -1; // not mapped
        boolean anonymous;
        int objectPage;
        long value; // of anonymous memory
    }

    private final Board board = new Board(new LiveExecution("test"), 32);
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
    private final Slot[] slots = new Slot[PAGES];
    private final long[] objectValues = new long[OBJECT_PAGES];

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void agreeWithAPlainModel(long seed) {
        Random random = new Random(seed);
        MappableKind kind = seed == 2 ? MappableKind.FRAMES : MappableKind.PAGES;
        Exporter exporter = new Exporter(board, kind, OBJECT_PAGES - 4); // the last 4: nothing
        for (int i = 0; i < PAGES; i++) {
            slots[i] = new Slot();
        }
        for (int i = 0; i < OPERATIONS; i++) {
            int first = random.nextInt(PAGES);
            int count = 1 + random.nextInt(Math.min(12, PAGES - first));
            switch (random.nextInt(16)) {
                case 0 -> mapAnonymous(first, count, random.nextInt(3));
                case 1, 2 -> mapObject(exporter, first, count, random);
                case 3 -> unmap(first, count);
                case 4, 5 -> protect(first, count, random.nextInt(3));
                case 6 -> zap(exporter, random.nextInt(OBJECT_PAGES), count);
                case 7 -> discard(first, random.nextInt(PAGES), count);
                case 8, 9, 10, 11 -> store(exporter, first, random.nextLong());
                default -> load(exporter, first);
            }
            exporter.calls.clear();
            if (i % 500 == 0) {
                compareAll(exporter);
            }
        }
        compareAll(exporter);
        space.close();
        exporter.close();
        board.close();
    }

    private static long at(int page) {
        return BASE + page * PAGE;
    }

    private static int protection(int choice) {
        return new int[] {0, PROT_READ, READ_WRITE}[choice];
    }

    private void mapAnonymous(int first, int count, int choice) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        space.map(at(first), count * PAGE, protection(choice), flags, null, 0);
        for (int i = first; i < first + count; i++) {
            slots[i] = new Slot();
            slots[i].protection = protection(choice);
            slots[i].anonymous = true;
        }
    }

    private void mapObject(Exporter exporter, int first, int count, Random random) {
        int from = random.nextInt(OBJECT_PAGES - count);
        int protection = protection(random.nextInt(3));
        int flags = MAP_SHARED | MAP_FIXED;
        space.map(at(first), count * PAGE, protection, flags, exporter.object, from * PAGE);
        for (int i = first; i < first + count; i++) {
            slots[i] = new Slot();
            slots[i].protection = protection;
            slots[i].objectPage = from + i - first;
        }
    }

    private void unmap(int first, int count) {
        space.unmap(at(first), count * PAGE);
        for (int i = first; i < first + count; i++) {
            slots[i] = new Slot();
        }
    }

    private void protect(int first, int count, int choice) {
        boolean whole = true;
        for (int i = first; i < first + count && whole; i++) {
            whole = slots[i].protection >= 0;
            if (whole) {
                slots[i].protection = protection(choice);
            }
        }
        boolean done = true;
        try {
            space.protect(at(first), count * PAGE, protection(choice));
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
            done = false;
        }
        assertThat(done).isEqualTo(whole);
    }

    /** Changes nothing that anybody can see. */
    private static void zap(Exporter exporter, int first, int count) {
        exporter.object.unmapRange(first * PAGE, count * PAGE);
    }

    private void discard(int in, int first, int count) {
        CpuMapping mapping = space.find(at(in));
        if (mapping != null && mapping.object() == null) {
            mapping.zap(at(first), count * PAGE);
            long end = mapping.first() + mapping.bytes();
            for (int i = first; i < first + count && i < PAGES; i++) {
                if (at(i) >= mapping.first() && at(i) < end) {
                    slots[i].value = 0;
                }
            }
        }
    }

    private String expected(Slot slot, Exporter exporter, boolean write) {
        if (slot.protection < 0 || (write ? slot.protection != READ_WRITE : slot.protection == 0)) {
            return "SIGSEGV";
        }
        return !slot.anonymous && slot.objectPage >= exporter.pages.length ? "SIGBUS" : "";
    }

    private void store(Exporter exporter, int page, long value) {
        Slot slot = slots[page];
        String answer = "";
        try {
            space.store(at(page) + 16, 8, value);
        } catch (SegmentationFault e) {
            answer = "SIGSEGV";
        } catch (BusError e) {
            answer = "SIGBUS";
        }
        check(page, answer, expected(slot, exporter, true));
        if (answer.isEmpty()) {
            if (slot.anonymous) {
                slot.value = value;
            } else {
                objectValues[slot.objectPage] = value;
            }
        }
    }

    private void load(Exporter exporter, int page) {
        Slot slot = slots[page];
        String answer = "";
        long value = 0;
        try {
            value = space.load(at(page) + 16, 8);
        } catch (SegmentationFault e) {
            answer = "SIGSEGV";
        } catch (BusError e) {
            answer = "SIGBUS";
        }
        check(page, answer, expected(slot, exporter, false));
        if (answer.isEmpty()) {
            long right = slot.anonymous ? slot.value : objectValues[slot.objectPage];
            check(page, value, right);
        }
    }

    private static void check(int page, Object answer, Object right) {
        if (!answer.equals(right)) {
            throw new AssertionError("page %d: %s, not %s".formatted(page, answer, right));
        }
    }

    private void compareAll(Exporter exporter) {
        for (int i = 0; i < PAGES; i++) {
            load(exporter, i);
            CpuMapping mapping = space.find(at(i));
            check(i, mapping == null ? -1 : mapping.protection(), slots[i].protection);
            if (mapping != null && mapping.object() != null) {
                long offset = mapping.offset() + at(i) - mapping.first();
                check(i, offset, slots[i].objectPage * PAGE);
            }
        }
        long used = exporter.pages.length + space.tablePages();
        for (int i = 0; i < PAGES; i++) {
            boolean page = slots[i].anonymous && space.entry(at(i)) != 0;
            used += page ? 1 : 0;
        }
        assertThat(board.used()).as("pages").isEqualTo(used);
    }
}
