package org.peerlane.device.gpu;

import static org.peerlane.device.gpu.GpuRegister.INVALIDATE;
import static org.peerlane.device.gpu.GpuRegister.MMU_BASE;
import static org.peerlane.device.gpu.GpuRegister.MMU_CONTROL;
import static org.peerlane.device.gpu.GpuRegister.MMU_ENABLE;
import static org.peerlane.device.gpu.GpuRegister.TABLE_IN_VRAM;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.registers.RegisterFile;

/**
 * The card's own MMU: makes VRAM offsets and bus addresses of virtual ones. It walks the tables of
 * {@link PageEntry} and keeps what it has found until it is told to drop it.
 *
 * <p><b>When registers count.</b> MMU_BASE and MMU_CONTROL count as they are when RUN or INVALIDATE
 * is written, never in between. INVALIDATE reads 1 until no step uses an earlier translation any
 * more; a packet of many steps goes on with new ones.
 *
 * <p><b>Threads.</b> The engine's; {@link #invalidate} and {@link #forget} any, with the device's
 * lock held. <b>Cost.</b> A hit: two array reads. No allocation.
 *
 * <p><b>Not modelled.</b> More than one address space, accessed and dirty bits, page requests.
 */
final class GpuMmu implements AutoCloseable {
    private static final int KEPT = 64;
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final NamedLock lock;
    private final RegisterFile<GpuRegister> registers;
    private final DmaPort port;
    private final Vram vram;
    private final Trouble trouble;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(LE_LONG);

    /** By page size: page number plus 1, and its entry; 0: nothing. */
    private final long[] smallPages = new long[KEPT];

    private final long[] smallEntries = new long[KEPT];
    private final long[] largePages = new long[KEPT];
    private final long[] largeEntries = new long[KEPT];

    private boolean enabled;
    private boolean tableInVram;
    private long base;

    /** Guarded by lock: the registers at the last RUN or INVALIDATE. */
    private long latchedControl;

    private long latchedBase;

    /** INVALIDATE is to be served; written with the lock held. */
    private volatile boolean stale;

    GpuMmu(
            NamedLock lock,
            RegisterFile<GpuRegister> registers,
            DmaPort port,
            Vram vram,
            Trouble trouble) {
        this.lock = lock;
        this.registers = registers;
        this.port = port;
        this.vram = vram;
        this.trouble = trouble;
    }

    /** [held] Software wants translations to be dropped. */
    void invalidate() {
        latch();
        stale = true;
    }

    /** [held] From the next {@link #restart} on the registers count as they are now. */
    void latch() {
        assert lock.isHeldByCurrentThread();
        latchedControl = registers.get(MMU_CONTROL);
        latchedBase = registers.get(MMU_BASE);
    }

    /** [held] A reset: nobody waits for that any more. */
    void forget() {
        assert lock.isHeldByCurrentThread();
        stale = false;
    }

    boolean isStale() {
        return stale;
    }

    /** Between two steps: does what INVALIDATE asks for. */
    void follow() {
        if (stale) {
            lock.lock();
            try {
                restart();
            } finally {
                lock.unlock();
            }
        }
    }

    /** [held] Drops all translations, and from now on uses what was latched. */
    void restart() {
        assert lock.isHeldByCurrentThread();
        stale = false;
        registers.set(MMU_CONTROL, INVALIDATE, 0);
        enabled = MMU_ENABLE.get(latchedControl) == 1;
        tableInVram = TABLE_IN_VRAM.get(latchedControl) == 1;
        base = latchedBase;
        Arrays.fill(smallPages, 0);
        Arrays.fill(largePages, 0);
    }

    /**
     * Translates one address, to the end of its page.
     *
     * @param virtual below 2^39
     * @param write whether it is to be written to
     */
    Outcome translate(long virtual, boolean write, Place into) {
        if (!enabled) {
            return trouble.fault(FaultReason.DISABLED, PageEntry.TOP_LEVEL, write, virtual);
        }
        long small = virtual >>> PageEntry.SMALL_LG2;
        int slot = (int) small & KEPT - 1;
        if (smallPages[slot] == small + 1) {
            return use(smallEntries[slot], 0, virtual, write, into);
        }
        long large = virtual >>> PageEntry.LARGE_LG2;
        slot = (int) large & KEPT - 1;
        if (largePages[slot] == large + 1) {
            return use(largeEntries[slot], 1, virtual, write, into);
        }
        return walk(virtual, write, into);
    }

    private Outcome walk(long virtual, boolean write, Place into) {
        boolean inVram = tableInVram;
        long table = base;
        for (int level = PageEntry.TOP_LEVEL; ; level--) {
            if (!load(inVram, table + PageEntry.offset(virtual, level))) {
                return trouble.fault(FaultReason.TABLE, level, write, virtual);
            }
            long entry = scratch.get(LE_LONG, 0);
            if (!PageEntry.is(entry, PageEntry.VALID)) {
                return trouble.fault(FaultReason.NOT_PRESENT, level, write, virtual);
            }
            if (!PageEntry.isWellFormed(entry, level)) {
                return trouble.fault(FaultReason.RESERVED, level, write, virtual);
            }
            if (PageEntry.is(entry, PageEntry.PAGE)) {
                return keep(entry, level, virtual, write, into);
            }
            inVram = PageEntry.is(entry, PageEntry.VRAM);
            table = PageEntry.address(entry);
        }
    }

    /** {@return whether the scratch has the word now} */
    private boolean load(boolean inVram, long at) {
        if (!inVram) {
            long result = port.read(at, DmaAttributes.NONE, scratch, 0, Long.BYTES);
            return DmaResult.isOk(result);
        }
        if (!vram.holds(at, Long.BYTES)) {
            return false;
        }
        scratch.set(LE_LONG, 0, vram.word(at));
        return true;
    }

    private Outcome keep(long entry, int level, long virtual, boolean write, Place into) {
        int lg2 = level == 0 ? PageEntry.SMALL_LG2 : PageEntry.LARGE_LG2;
        if (PageEntry.is(entry, PageEntry.VRAM)
                && !vram.holds(PageEntry.address(entry), 1L << lg2)) {
            return trouble.fault(FaultReason.OUTSIDE_VRAM, level, write, virtual);
        }
        long page = virtual >>> lg2;
        int slot = (int) page & KEPT - 1;
        (level == 0 ? smallPages : largePages)[slot] = page + 1;
        (level == 0 ? smallEntries : largeEntries)[slot] = entry;
        return use(entry, level, virtual, write, into);
    }

    private Outcome use(long entry, int level, long virtual, boolean write, Place into) {
        if (write && !PageEntry.is(entry, PageEntry.WRITE)) {
            return trouble.fault(FaultReason.READ_ONLY, level, true, virtual);
        }
        long bytes = 1L << (level == 0 ? PageEntry.SMALL_LG2 : PageEntry.LARGE_LG2);
        long inside = virtual & bytes - 1;
        into.is(
                PageEntry.is(entry, PageEntry.VRAM),
                PageEntry.address(entry) + inside,
                bytes - inside);
        return Outcome.DONE;
    }

    @Override
    public void close() {
        arena.close();
    }
}
