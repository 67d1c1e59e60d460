package org.peerlane.bus.pcie.config;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;

/**
 * Table and pending bits of MSI-X, and the sending of messages (PC-28). An entry is 16 bytes:
 * address low and high, data, vector control with the mask in bit 0.
 *
 * <p><b>Pending.</b> Whoever takes a pending bit away sends its message: the one who unmasks, or
 * the one who raised and sees that the mask has gone meanwhile. So exactly one message is sent.
 *
 * <p><b>Threads.</b> Any; no lock. Software changes address and data of masked entries only, as the
 * specification asks; else a message may have half of either.
 *
 * <p><b>Checkpoints.</b> {@code bus.msix.masked}: a raise has seen a mask; {@code bus.msix.pended}:
 * it has left its bit; {@code bus.msix.unmasked}: a mask has gone and what waited was not sent yet.
 *
 * <p><b>Cost.</b> No allocation per message.
 */
public final class MsiXTable implements InterruptPort {
    private static final int ENTRY_BYTES = 16;
    private static final int DWORDS = 4;
    private static final int CONTROL = 3;
    private static final int MASKED = 1;

    private final int vectors;
    private final Messages messages;
    private final AtomicIntegerArray table;
    private final AtomicLongArray pending;
    private final Checkpoint masked;
    private final Checkpoint pended;
    private final Checkpoint unmasked;

    private volatile boolean enabled;
    private volatile boolean functionMasked;

    /**
     * Makes a table in its reset state: every entry masked, messages off.
     *
     * @param vectors 1 to 2048
     * @param messages sends
     * @param execution whose checkpoints
     */
    public MsiXTable(int vectors, Messages messages, Execution execution) {
        if (vectors < 1 || vectors > 2048) {
            throw new IllegalArgumentException(vectors + " vectors; expected 1 to 2048");
        }
        this.vectors = vectors;
        this.messages = messages;
        table = new AtomicIntegerArray(vectors * DWORDS);
        pending = new AtomicLongArray((vectors + 63) / 64);
        masked = execution.checkpoint("bus.msix.masked");
        pended = execution.checkpoint("bus.msix.pended");
        unmasked = execution.checkpoint("bus.msix.unmasked");
        reset();
    }

    /** {@return how many entries} */
    public int vectors() {
        return vectors;
    }

    @Override
    public int raise(int vector) {
        if (!enabled || vector < 0 || vector >= vectors) {
            return DmaResult.UNSUPPORTED_REQUEST;
        }
        if (isMasked(vector)) {
            masked.reached();
            pending.getAndAccumulate(vector >> 6, 1L << vector, MsiXTable::or);
            pended.reached();
            if (!mayTake(vector)) {
                return DmaResult.OK; // whoever unmasks sends
            }
        }
        return send(vector);
    }

    /**
     * Takes over what config space says. With the function's lock, so that the last write counts;
     * then {@link #sendPending}, without it.
     */
    public void program(boolean enable, boolean maskFunction) {
        enabled = enable;
        functionMasked = maskFunction;
    }

    /** Sends what waited and may go now. */
    public void sendPending() {
        unmasked.reached();
        for (int i = 0; i < pending.length(); i++) {
            for (long word = pending.get(i); word != 0; word &= word - 1) {
                sendIfPending(i * 64 + Long.numberOfTrailingZeros(word));
            }
        }
    }

    /** Forgets everything: entries masked, nothing pending, messages off (PC-61). */
    public void reset() {
        enabled = false;
        functionMasked = false;
        for (int i = 0; i < table.length(); i++) {
            table.set(i, i % DWORDS == CONTROL ? MASKED : 0);
        }
        for (int i = 0; i < pending.length(); i++) {
            pending.set(i, 0);
        }
    }

    /**
     * Software reads the table.
     *
     * @param offset from its start
     * @param bytes 1, 2, 4 or 8, naturally aligned
     * @return the value; 0 past the end (PC-20)
     */
    public long read(long offset, int bytes) {
        long low = dword(offset);
        return bytes == 8
                ? low | dword(offset + 4) << 32
                : low >>> (offset & 3) * 8 & ConfigSpace.ones(bytes);
    }

    /**
     * Software writes the table: a dword or an aligned qword; another width is dropped.
     *
     * @param offset from its start
     */
    public void write(long offset, int bytes, long value) {
        if (bytes == 8 && offset % 8 == 0) {
            writeDword(offset, (int) value);
            writeDword(offset + 4, (int) (value >>> 32));
        } else if (bytes == 4 && offset % 4 == 0) {
            writeDword(offset, (int) value);
        }
    }

    /**
     * Software reads the pending bits; writes of them are dropped.
     *
     * @param offset from their start
     * @param bytes 1, 2, 4 or 8, naturally aligned
     * @return the value; 0 past the end
     */
    public long readPending(long offset, int bytes) {
        long word =
                offset >= 0 && offset < pending.length() * 8L ? pending.get((int) offset >> 3) : 0;
        return word >>> (offset & 7) * 8 & ConfigSpace.ones(bytes);
    }

    private long dword(long offset) {
        return offset >= 0 && offset < (long) vectors * ENTRY_BYTES
                ? table.get((int) offset >> 2) & 0xFFFF_FFFFL
                : 0;
    }

    private void writeDword(long offset, int value) {
        if (offset < 0 || offset >= (long) vectors * ENTRY_BYTES) {
            return;
        }
        int i = (int) offset >> 2;
        if (i % DWORDS != CONTROL) {
            table.set(i, value);
            return;
        }
        table.set(i, value & MASKED);
        if ((value & MASKED) == 0) {
            unmasked.reached();
            sendIfPending(i / DWORDS);
        }
    }

    private boolean isMasked(int vector) {
        return functionMasked || (table.get(vector * DWORDS + CONTROL) & MASKED) != 0;
    }

    private void sendIfPending(int vector) {
        if (mayTake(vector)) {
            send(vector);
        }
    }

    /** {@return whether the caller has taken the bit and must send} */
    private boolean mayTake(int vector) {
        long bit = 1L << vector;
        return enabled
                && !isMasked(vector)
                && (pending.getAndAccumulate(vector >> 6, ~bit, MsiXTable::and) & bit) != 0;
    }

    private static long or(long a, long b) {
        return a | b;
    }

    private static long and(long a, long b) {
        return a & b;
    }

    private int send(int vector) {
        int at = vector * DWORDS;
        long address = table.get(at) & 0xFFFF_FFFCL | (long) table.get(at + 1) << 32;
        return messages.send(address, table.get(at + 2));
    }
}
