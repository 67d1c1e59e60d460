package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * One function's requests to memory and to its peers.
 *
 * <p>A call is cut where the translation or the target ends; each cut is a transaction that is
 * counted in at the {@link Gate}, translated, routed and copied, segment to segment.
 *
 * <p><b>Threads.</b> Engine threads of the device, several at once. <b>Cost.</b> No allocation, no
 * lock; the answer of a translation is an object a thread of this port owns only while it is in a
 * transaction, so each call makes one on its stack for the JIT to take apart.
 */
final class FunctionDma implements DmaPort {
    private final PcieRoot root;
    private final Function function;
    private final Gate gate;
    private final Checkpoint translated;
    private final Checkpoint beforeCopy;
    private final Checkpoint betweenTransactions;
    private final Checkpoint beforeArrival;
    private final Tracepoint<BusEvents.DmaRead> reads;
    private final Tracepoint<BusEvents.DmaWrite> writes;
    private final Tracepoint<BusEvents.DmaLost> losses;
    private final LongAdder lost = new LongAdder();

    FunctionDma(PcieRoot root, Function function, Gate gate, Execution exec, Tracer tracer) {
        this.root = root;
        this.function = function;
        this.gate = gate;
        translated = exec.checkpoint("bus.dma.translated");
        beforeCopy = exec.checkpoint("bus.dma.before-copy");
        betweenTransactions = exec.checkpoint("bus.dma.between-transactions");
        beforeArrival = exec.checkpoint("bus.dma.before-arrival");
        reads = tracer.point(BusEvents.DmaRead.class);
        writes = tracer.point(BusEvents.DmaWrite.class);
        losses = tracer.point(BusEvents.DmaLost.class);
    }

    /** {@return how many bytes of posted writes nobody took} */
    long lostBytes() {
        return lost.sum();
    }

    @Override
    public long read(long address, int attributes, MemorySegment local, long offset, long length) {
        long result = transfer(address, attributes, local, offset, length, false);
        if (reads.isOn()) {
            reads.emit(
                    new BusEvents.DmaRead(
                            function.requesterId(), address, length, DmaResult.describe(result)));
        }
        return result;
    }

    @Override
    public long write(long address, int attributes, MemorySegment local, long offset, long length) {
        long result = transfer(address, attributes, local, offset, length, true);
        if (writes.isOn()) {
            writes.emit(
                    new BusEvents.DmaWrite(
                            function.requesterId(), address, length, DmaResult.describe(result)));
        }
        return result;
    }

    private long transfer(
            long address,
            int attributes,
            MemorySegment local,
            long offset,
            long length,
            boolean write) {
        Objects.checkFromIndexSize(offset, length, local.byteSize());
        long pass = gate.pass();
        int refusal = Gate.refusal(pass);
        if (refusal != DmaResult.OK) {
            return DmaResult.of(refusal, 0);
        }
        if (length != 0 && Long.compareUnsigned(address + length - 1, address) < 0) {
            return refuse(address, length, write); // past 2^64-1
        }
        var where = new DmaTranslation.Target();
        long done = 0;
        while (done < length) {
            if (!gate.enter(pass)) {
                int reason = Gate.refusal(gate.pass());
                return DmaResult.of(reason == DmaResult.OK ? DmaResult.GONE : reason, done);
            }
            long moved;
            try {
                moved =
                        transact(
                                address + done,
                                attributes,
                                local,
                                offset + done,
                                length - done,
                                write,
                                where);
            } finally {
                gate.leave();
            }
            if (moved < 0) {
                return DmaResult.of((int) -moved, done);
            }
            done += moved;
            if (done < length) {
                betweenTransactions.reached();
            }
        }
        return DmaResult.of(DmaResult.OK, done);
    }

    /** {@return the bytes moved, or a status, negated} */
    private long transact(
            long address,
            int attributes,
            MemorySegment local,
            long offset,
            long length,
            boolean write,
            DmaTranslation.Target where) {
        int status = root.translate(function.requesterId(), attributes, address, write, where);
        if (status != DmaResult.OK) {
            return write ? lose(address, Math.min(length, 4096 - (address & 4095))) : -status;
        }
        translated.reached();
        long bytes = Long.compareUnsigned(length, where.bytes) < 0 ? length : where.bytes;
        long physical = where.physical;
        Routes.Target target = root.routes().find(physical);
        if (target == null || target.function == function) { // PC-59: no loop to itself
            return write ? lose(address, bytes) : -DmaResult.UNSUPPORTED_REQUEST;
        }
        long inside = physical - target.first;
        bytes = Math.min(bytes, target.last - physical + 1);
        beforeCopy.reached();
        MemorySegment memory = target.memory;
        if (memory == null) {
            return root.peers().access(target, inside, local, offset, bytes, write);
        }
        try {
            if (write) {
                beforeArrival.reached();
                MemorySegment.copy(local, offset, memory, inside, bytes);
            } else {
                MemorySegment.copy(memory, inside, local, offset, bytes);
            }
        } catch (IllegalStateException e) { // the target's memory has been closed under us
            return write ? lose(address, bytes) : -DmaResult.UNSUPPORTED_REQUEST;
        }
        return bytes;
    }

    private long refuse(long address, long length, boolean write) {
        if (write) {
            lose(address, length);
            return DmaResult.of(DmaResult.OK, length);
        }
        return DmaResult.of(DmaResult.UNSUPPORTED_REQUEST, 0);
    }

    private long lose(long address, long bytes) {
        lost.add(bytes);
        if (losses.isOn()) {
            losses.emit(new BusEvents.DmaLost(function.requesterId(), address, bytes));
        }
        return bytes;
    }
}
