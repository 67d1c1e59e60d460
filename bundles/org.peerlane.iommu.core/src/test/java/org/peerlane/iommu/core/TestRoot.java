package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.RootComplex;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;

/** A root complex that counts what is in flight, and the devices below it with their TLBs. */
final class TestRoot implements RootComplex {
    private final Execution execution;
    private final Checkpoint translated;
    private final Map<Integer, InFlight> inFlight = new HashMap<>();
    private final Map<Integer, DeviceTlb> tlbs = new HashMap<>();

    @Nullable DmaTranslation iommu;

    /** Device TLBs that never answer. */
    boolean deaf;

    /** What was sent to device TLBs, in order. */
    final List<String> invalidations = new ArrayList<>();

    final List<String> responses = new ArrayList<>();
    int drains;

    /** Is told of each drain. */
    Runnable onDrain = () -> {};

    TestRoot(Execution execution) {
        this.execution = execution;
        translated = execution.checkpoint("test.translated");
    }

    private InFlight inFlight(int requester) {
        return inFlight.computeIfAbsent(requester, _ -> new InFlight(execution, "test.in-flight"));
    }

    @Override
    public void drain(int requester) {
        drains++;
        onDrain.run();
        inFlight(requester).drain();
    }

    @Override
    public void drainAll() {
        List.copyOf(inFlight.keySet()).forEach(this::drain);
    }

    @Override
    public boolean invalidate(int requester, int pasid, long iova, long bytes, long timeoutNanos) {
        invalidations.add("%d:%d 0x%x+0x%x".formatted(requester, pasid, iova, bytes));
        if (deaf) {
            return false;
        }
        DeviceTlb tlb = tlbs.get(requester);
        if (tlb != null) {
            tlb.entries.clear();
            tlb.uses.drain(); // the completion comes after the last use (IM-14)
        }
        return true;
    }

    @Override
    public void respond(int requester, int pasid, int group, int code) {
        responses.add("%d:%d group %d code %d".formatted(requester, pasid, group, code));
    }

    /** One transaction; what it touches is given to {@code lands}. {@return its status} */
    int dma(int requester, int attributes, long iova, boolean write, LongConsumer lands) {
        DmaTranslation.Target target = new DmaTranslation.Target();
        int mine = inFlight(requester).enter();
        try {
            int status =
                    Objects.requireNonNull(iommu)
                            .translate(requester, attributes, iova, write, target);
            translated.reached();
            if (status == DmaResult.OK) {
                lands.accept(target.physical);
            }
            return status;
        } finally {
            inFlight(requester).exit(mine);
        }
    }

    /** One write, by an answer that was kept if that is still good. */
    void keptWrite(int requester, long iova, DmaTranslation.Target kept, LongConsumer lands) {
        int mine = inFlight(requester).enter();
        try {
            DmaTranslation.Generation counted = kept.generation;
            if (counted == null || counted.number() != kept.number) {
                kept.generation = null;
                int status =
                        Objects.requireNonNull(iommu).translate(requester, 0, iova, true, kept);
                if (status != DmaResult.OK) {
                    kept.generation = null;
                    return;
                }
            }
            translated.reached();
            lands.accept(kept.physical);
        } finally {
            inFlight(requester).exit(mine);
        }
    }

    /** {@return the physical address that a read or write goes to, or -1: it faults} */
    long where(int requester, int attributes, long iova, boolean write) {
        long[] physical = {-1};
        dma(requester, attributes, iova, write, p -> physical[0] = p);
        return physical[0];
    }

    /** One write by way of the device's own TLB, filled first if need be. */
    void atsWrite(int requester, long iova, LongConsumer lands) {
        DeviceTlb tlb =
                tlbs.computeIfAbsent(
                        requester, _ -> new DeviceTlb(new InFlight(execution, "test.tlb")));
        int use = tlb.uses.enter();
        try {
            Long physical = tlb.entries.get(iova);
            if (physical == null) {
                DmaTranslation.Target target = new DmaTranslation.Target();
                int mine = inFlight(requester).enter();
                try {
                    int status =
                            Objects.requireNonNull(iommu)
                                    .translationRequest(requester, 0, iova, 3, target);
                    translated.reached();
                    if (status != DmaResult.OK || (target.permissions & 2) == 0) {
                        return;
                    }
                    physical = target.physical;
                    tlb.entries.put(iova, physical);
                } finally {
                    inFlight(requester).exit(mine);
                }
            }
            translated.reached();
            dma(requester, DmaAttributes.TRANSLATED, physical, true, lands);
        } finally {
            tlb.uses.exit(use);
        }
    }

    private record DeviceTlb(InFlight uses, Map<Long, Long> entries) {
        DeviceTlb(InFlight uses) {
            this(uses, new HashMap<>());
        }
    }
}
