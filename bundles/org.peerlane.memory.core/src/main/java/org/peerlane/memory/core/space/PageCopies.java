package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.RegisterAccess;

/**
 * Copies pages that a process maps, for mappings whose stores are their own. The copy is an access
 * like any other: a zap waits for it, and who finds the entry unchanged after it has copied what
 * was there. <b>Threads.</b> Any.
 */
final class PageCopies {
    private static final ValueLayout.OfLong LITTLE =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Hardware hardware;

    PageCopies(Hardware hardware) {
        this.hardware = hardware;
    }

    /**
     * Copies a page as the page table has it.
     *
     * @param target the RAM page to copy to
     * @return the physical page that was copied; -1: there is none any more
     * @throws BusError nobody answers there
     */
    long copy(PageTable table, long address, long target) {
        RegisterAccess registers;
        long frame;
        int slot = hardware.gate.enter();
        try {
            long leaf = table.walk(address, false);
            if (leaf == 0) {
                return -1;
            }
            frame = Pte.physical(leaf, address);
            hardware.translated.reached();
            Spans spans = hardware.map.all();
            int span = spans.find(frame);
            if (span < 0) {
                throw new BusError(address, true, "nobody answers there", null);
            }
            MemorySegment source = spans.segment(span);
            if (source != null) {
                MemorySegment.copy(source, frame - spans.first(span), page(target), 0, Pte.PAGE);
                return frame;
            }
            registers = spans.span(span).registers();
        } catch (IllegalStateException closed) {
            throw new BusError(address, true, "whoever had the memory has left", closed);
        } finally {
            hardware.gate.leave(slot);
        }
        read(registers, frame, page(target));
        return frame;
    }

    private static void read(@Nullable RegisterAccess registers, long frame, MemorySegment target) {
        for (long at = 0; registers != null && at < Pte.PAGE; at += Long.BYTES) {
            target.set(LITTLE, at, registers.read(frame + at, Long.BYTES));
        }
    }

    private MemorySegment page(long physical) {
        Spans ram = hardware.map.ram();
        int span = ram.find(physical);
        return ram.memory(span).asSlice(physical - ram.first(span), Pte.PAGE);
    }
}
