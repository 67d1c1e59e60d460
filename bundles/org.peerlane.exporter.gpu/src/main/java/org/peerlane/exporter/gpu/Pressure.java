package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Takes VRAM away from all others, as an application does that wants more than there is: allocates
 * until its own buffers begin to evict each other.
 *
 * <p><b>Threads.</b> The caller's, with no reservation held.
 */
final class Pressure {
    /** Of the VRAM: how large its buffers are. */
    private static final int PARTS = 64;

    private final Gpu card;
    private final long part;
    private final List<GpuBuffer> own = new ArrayList<>();

    Pressure(Gpu card) {
        this.card = card;
        part = vramBytes(card) / PARTS;
    }

    /** {@return what has come of it, in a sentence} Nothing of it is left. */
    String run() {
        List<GpuBuffer> before = inVram();
        String end;
        try {
            end = fill();
        } finally {
            own.forEach(GpuBuffer::close);
        }
        before.removeAll(inVram());
        return "%d buffers of 0x%x bytes%s; %d others had to leave the VRAM of %s%s"
                .formatted(
                        own.size(),
                        part,
                        end,
                        before.size(),
                        card.name(),
                        before.isEmpty() ? "" : ": " + names(before));
    }

    private String fill() {
        while (own.size() < 2 * PARTS) { // others may take back what was freed
            try {
                own.add(card.allocate(new GpuAllocation(part, EnumSet.of(Placement.VRAM), false)));
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOMEM) {
                    throw e;
                }
                return " until nobody could leave any more";
            }
            if (own.getFirst().placement() != Placement.VRAM) {
                return " until they evicted each other";
            }
        }
        return "";
    }

    private List<GpuBuffer> inVram() {
        List<GpuBuffer> found = new ArrayList<>(card.buffers());
        found.removeIf(one -> one.isImported() || one.placement() != Placement.VRAM);
        return found;
    }

    private static String names(List<GpuBuffer> buffers) {
        return String.join(" ", buffers.stream().map(GpuBuffer::toString).toList());
    }

    private static long vramBytes(Gpu card) {
        return card.memory().stream()
                .filter(one -> one.placement() == Placement.VRAM)
                .findFirst()
                .orElseThrow()
                .bytes();
    }
}
