package org.peerlane.bus.pcie;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.ReadFailure;

/**
 * The end of a route: memory, a peer's registers, or the interrupt controller.
 *
 * <p><b>Threads.</b> Any, inside the counted section.
 */
final class Completer {
    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);

    private final Fabric fabric;
    private final Sender sender;
    private final Outcomes outcomes;

    Completer(Fabric fabric, Sender sender, Outcomes outcomes) {
        this.fabric = fabric;
        this.sender = sender;
        this.outcomes = outcomes;
    }

    /**
     * Moves bytes between the function and memory or registers.
     *
     * @param from the address that the function has sent
     * @param at the same behind the IOMMU
     * @return OK with the bytes, or why not
     */
    long move(
            Route route,
            long from,
            long at,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        MemorySegment segment = route.segment();
        if (segment == null) {
            if (!write && fabric.isAnswering()) {
                return outcomes.unanswered(from, bytes, false, "from inside a register access");
            }
            int status = registers(route, at, local, offset, bytes, write);
            if (status != DmaResult.OK) {
                return DmaResult.of(status, 0);
            }
        } else if (segment.scope().isAlive()) {
            copy(segment, at - route.base(), local, offset, bytes, write);
        } else { // whoever provides it has closed it before it took its route away
            return outcomes.unanswered(from, bytes, write, route.why() + " is closed");
        }
        outcomes.moved(from, at, bytes, write);
        return bytes;
    }

    private void copy(
            MemorySegment target,
            long at,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        fabric.beforeCopy.reached();
        if (write) {
            fabric.beforeArrival.reached();
            MemorySegment.copy(local, offset, target, at, bytes);
        } else {
            MemorySegment.copy(target, at, local, offset, bytes);
        }
    }

    /** A peer's registers: naturally aligned pieces of at most 8 bytes; writes are queued there. */
    private int registers(
            Route route, long target, MemorySegment local, long offset, long bytes, boolean write) {
        Endpoint peer = Objects.requireNonNull(route.function());
        long at = target - route.base();
        if (!write) {
            peer.posted().flush(); // a read never passes an earlier posted write (PC-71)
        }
        for (long done = 0; done < bytes; ) {
            int piece = piece(at + done, bytes - done);
            if (write) {
                long value = Access.get(local, offset + done, piece);
                if (!peer.posted().post(route.bar(), at + done, piece, value)) {
                    outcomes.lose(target + done, piece, "the peer has left");
                }
            } else {
                long value;
                try {
                    value = peer.registers().arrivingRead(route.bar(), at + done, piece);
                } catch (ReadFailure e) {
                    return RequestErrors.failed(sender.function(), peer, e, target + done, piece);
                }
                Access.set(local, offset + done, piece, value);
            }
            done += piece;
        }
        return DmaResult.OK;
    }

    private static int piece(long at, long left) {
        long aligned = at == 0 ? 8 : Math.min(8, Long.lowestOneBit(at));
        return (int) Math.min(aligned, Long.highestOneBit(left));
    }

    /** Writes of one aligned dword are interrupts, everything else there is an error (IM-9). */
    long interrupt(long from, MemorySegment local, long offset, long bytes, boolean write) {
        if (!write || bytes != Integer.BYTES || (from & 3) != 0) {
            return outcomes.unanswered(from, bytes, write, "not an interrupt message");
        }
        deliver(from, local.get(LE_INT, offset));
        return bytes;
    }

    /** An interrupt message has come to the root complex. */
    void deliver(long to, int data) {
        fabric.beforeArrival.reached();
        long message = to << 32 | data & 0xFFFF_FFFFL;
        DmaTranslation iommu = fabric.translation();
        if (iommu != null) {
            message = iommu.interrupt(sender.requester(), to, data);
            if (message == -1) {
                outcomes.lose(to, Integer.BYTES, "interrupt blocked by the IOMMU");
                return;
            }
        }
        if (!fabric.interrupts.deliver(message >>> 32, (int) message)) {
            outcomes.lose(to, Integer.BYTES, "no handler has this interrupt");
        }
    }

    /** {@return an interrupt message as the bytes of a write} */
    static MemorySegment bytesOf(int data) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[Integer.BYTES]);
        bytes.set(LE_INT, 0, data);
        return bytes;
    }
}
