package org.peerlane.memory.core.space;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.RegisterAccess;

/**
 * Loads and stores of one process: enter the {@link AccessGate}, walk, touch, and leave it;
 * outside, take the fault and try again. Registers are touched outside too, as what answers may
 * wait.
 *
 * <p><b>Cost.</b> No lock, no allocation. A copy stays inside the gate for at most 64 KiB, which is
 * what a flush waits for.
 *
 * <p><b>Errors.</b> A segment that its provider has closed is a bus error. The JDK throws {@link
 * IllegalStateException} for it, as it does for the caller's own segment, which goes on to the
 * caller.
 */
final class CpuAccess {
    /** Nothing was done, as there is no entry that allows it. */
    private static final long NO_ENTRY = 0;

    /** Nothing was done: registers. */
    private static final long REGISTERS = -1;

    private static final long SECTION_BYTES = 64 << 10;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

    private final PageTable table;
    private final Hardware hardware;
    private final AccessGate gate;
    private final Faults faults;

    CpuAccess(PageTable table, Hardware hardware, Faults faults) {
        this.faults = faults;
        this.table = table;
        this.hardware = hardware;
        gate = hardware.gate;
    }

    /** Moves bytes between a segment and the address space. */
    void move(boolean write, long address, MemorySegment local, long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, local.byteSize());
        long done = 0;
        while (done < bytes) {
            long at = address + done;
            long part = moveOnce(write, at, local, offset + done, bytes - done);
            if (part == REGISTERS) {
                part = width(at, bytes - done);
                if (write) {
                    store(at, (int) part, get(local, offset + done, (int) part));
                } else {
                    set(local, offset + done, (int) part, load(at, (int) part));
                }
            } else if (part == NO_ENTRY) {
                faults.take(at, write);
            }
            done += part;
        }
    }

    /** {@return how many bytes were moved, or why none} */
    private long moveOnce(
            boolean write, long address, MemorySegment local, long offset, long bytes) {
        long limit = Math.min(bytes, SECTION_BYTES);
        long done = 0;
        int slot = gate.enter();
        try {
            Spans spans = hardware.map.all();
            while (done < limit) {
                long at = address + done;
                long leaf = table.walk(at, write);
                if (leaf == 0) {
                    return done;
                }
                hardware.translated.reached();
                long physical = Pte.physical(leaf, at);
                int span = find(spans, physical, at, write);
                MemorySegment segment = spans.segment(span);
                if (segment == null) {
                    return done > 0 ? done : REGISTERS;
                }
                long in = physical - spans.first(span);
                long part = Math.min(limit - done, Pte.left(leaf, at));
                part = Math.min(part, segment.byteSize() - in);
                if (write) {
                    MemorySegment.copy(local, offset + done, segment, in, part);
                } else {
                    MemorySegment.copy(segment, in, local, offset + done, part);
                }
                done += part;
            }
            return done;
        } catch (IllegalStateException closed) {
            if (!local.scope().isAlive()) {
                throw closed;
            }
            throw gone(address + done, write, closed);
        } finally {
            gate.leave(slot);
        }
    }

    /** Loads and stores bytes; the two do not overlap. */
    void copy(long from, long to, long bytes) {
        long done = 0;
        while (done < bytes) {
            long part = copyOnce(from + done, to + done, bytes - done);
            if (part == REGISTERS) {
                int width = width(from + done | to + done, bytes - done);
                store(to + done, width, load(from + done, width));
                part = width;
            } else if (part == NO_ENTRY) {
                faults.take(from + done, false);
                faults.take(to + done, true);
            }
            done += part;
        }
    }

    private long copyOnce(long from, long to, long bytes) {
        int slot = gate.enter();
        try {
            Spans spans = hardware.map.all();
            long source = table.walk(from, false);
            long target = source == 0 ? 0 : table.walk(to, true);
            if (target == 0) {
                return NO_ENTRY;
            }
            hardware.translated.reached();
            long physicalSource = Pte.physical(source, from);
            long physicalTarget = Pte.physical(target, to);
            int spanSource = find(spans, physicalSource, from, false);
            int spanTarget = find(spans, physicalTarget, to, true);
            MemorySegment in = spans.segment(spanSource);
            MemorySegment out = spans.segment(spanTarget);
            if (in == null || out == null) {
                return REGISTERS;
            }
            long atSource = physicalSource - spans.first(spanSource);
            long atTarget = physicalTarget - spans.first(spanTarget);
            long part = Math.min(Math.min(bytes, SECTION_BYTES), in.byteSize() - atSource);
            part = Math.min(part, out.byteSize() - atTarget);
            part = Math.min(part, Math.min(Pte.left(source, from), Pte.left(target, to)));
            MemorySegment.copy(in, atSource, out, atTarget, part);
            return part;
        } catch (IllegalStateException closed) {
            throw gone(from, false, closed);
        } finally {
            gate.leave(slot);
        }
    }

    /** {@return what a load reads, zero-extended} */
    long load(long address, int width) {
        checkWidth(width);
        if (crossesPage(address, width)) {
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= load(address + i, 1) << 8 * i;
            }
            return value;
        }
        while (true) {
            long physical;
            RegisterAccess registers = null;
            int slot = gate.enter();
            try {
                long leaf = table.walk(address, false);
                physical = Pte.physical(leaf, address);
                if (leaf != 0) {
                    hardware.translated.reached();
                    Spans spans = hardware.map.all();
                    int span = find(spans, physical, address, false);
                    MemorySegment segment = spans.segment(span);
                    if (segment != null) {
                        return get(segment, physical - spans.first(span), width);
                    }
                    registers = spans.span(span).registers();
                }
            } catch (IllegalStateException closed) {
                throw gone(address, false, closed);
            } finally {
                gate.leave(slot);
            }
            if (registers != null) {
                return readRegisters(registers, physical, width);
            }
            faults.take(address, false);
        }
    }

    /** Stores the low bytes of a value. */
    void store(long address, int width, long value) {
        checkWidth(width);
        if (crossesPage(address, width)) {
            for (int i = 0; i < width; i++) {
                store(address + i, 1, value >>> 8 * i);
            }
            return;
        }
        while (true) {
            long physical;
            RegisterAccess registers = null;
            int slot = gate.enter();
            try {
                long leaf = table.walk(address, true);
                physical = Pte.physical(leaf, address);
                if (leaf != 0) {
                    hardware.translated.reached();
                    Spans spans = hardware.map.all();
                    int span = find(spans, physical, address, true);
                    MemorySegment segment = spans.segment(span);
                    if (segment != null) {
                        set(segment, physical - spans.first(span), width, value);
                        return;
                    }
                    registers = spans.span(span).registers();
                }
            } catch (IllegalStateException closed) {
                throw gone(address, true, closed);
            } finally {
                gate.leave(slot);
            }
            if (registers != null) {
                writeRegisters(registers, physical, width, value);
                return;
            }
            faults.take(address, true);
        }
    }

    private static long get(MemorySegment segment, long at, int width) {
        return switch (width) {
            case 1 -> segment.get(BYTE, at) & 0xffL;
            case 2 -> segment.get(SHORT, at) & 0xffffL;
            case 4 -> segment.get(INT, at) & 0xffff_ffffL;
            default -> segment.get(LONG, at);
        };
    }

    private static void set(MemorySegment segment, long at, int width, long value) {
        switch (width) {
            case 1 -> segment.set(BYTE, at, (byte) value);
            case 2 -> segment.set(SHORT, at, (short) value);
            case 4 -> segment.set(INT, at, (int) value);
            default -> segment.set(LONG, at, value);
        }
    }

    /** A CPU splits an access that is not aligned; registers see aligned ones only. */
    private static long readRegisters(RegisterAccess registers, long physical, int width) {
        long value = 0;
        for (int done = 0; done < width; ) {
            int part = width(physical + done, width - done);
            long mask = part == Long.BYTES ? -1 : (1L << 8 * part) - 1;
            value |= (registers.read(physical + done, part) & mask) << 8 * done;
            done += part;
        }
        return value;
    }

    private static void writeRegisters(
            RegisterAccess registers, long physical, int width, long value) {
        for (int done = 0; done < width; ) {
            int part = width(physical + done, width - done);
            long mask = part == Long.BYTES ? -1 : (1L << 8 * part) - 1;
            registers.write(physical + done, part, value >>> 8 * done & mask);
            done += part;
        }
    }

    /** {@return the widest access that is aligned and no longer than that} */
    private static int width(long address, long bytes) {
        int width = 1;
        while (width < Long.BYTES && (address & 2L * width - 1) == 0 && 2L * width <= bytes) {
            width *= 2;
        }
        return width;
    }

    private static void checkWidth(int width) {
        if (width != 1 && width != 2 && width != 4 && width != 8) {
            throw new ErrnoException(
                    Errno.EINVAL, "access of %d bytes; expected 1, 2, 4 or 8".formatted(width));
        }
    }

    private static boolean crossesPage(long address, int width) {
        return (address & Pte.PAGE_MASK) + width > Pte.PAGE;
    }

    private static int find(Spans spans, long physical, long address, boolean write) {
        int span = spans.find(physical);
        if (span < 0) {
            throw new BusError(
                    address, write, "nobody answers at physical 0x%x".formatted(physical), null);
        }
        return span;
    }

    private static BusError gone(long address, boolean write, IllegalStateException closed) {
        return new BusError(address, write, "whoever had the memory has left", closed);
    }
}
