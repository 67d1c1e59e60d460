package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/** Memory in the card. <b>Threads.</b> Immutable. */
final class VramStorage implements Storage {
    private final VramAllocator allocator;
    private final List<VramAllocator.Block> blocks;
    private final List<Run> runs;
    private final List<AddressRange<PhysicalAddress>> physical;

    /**
     * @param blocks by rising offset
     * @param bar where the CPU finds the start of the VRAM, and how much of it
     */
    VramStorage(
            VramAllocator allocator,
            List<VramAllocator.Block> blocks,
            AddressRange<PhysicalAddress> bar) {
        this.allocator = allocator;
        this.blocks = List.copyOf(blocks);
        runs = merged(blocks);
        Run last = runs.getLast();
        physical = last.address() + last.bytes() <= bar.bytes() ? behind(bar) : List.of();
    }

    private static List<Run> merged(List<VramAllocator.Block> blocks) {
        List<Run> runs = new ArrayList<>();
        for (VramAllocator.Block block : blocks) {
            Run before = runs.isEmpty() ? null : runs.getLast();
            if (before != null && before.address() + before.bytes() == block.offset()) {
                runs.removeLast();
                runs.add(
                        new Run(
                                GpuRegisters.VRAM,
                                before.address(),
                                before.bytes() + block.bytes()));
            } else {
                runs.add(new Run(GpuRegisters.VRAM, block.offset(), block.bytes()));
            }
        }
        return List.copyOf(runs);
    }

    private List<AddressRange<PhysicalAddress>> behind(AddressRange<PhysicalAddress> bar) {
        long first = bar.first().value();
        return runs.stream()
                .map(run ->
                        AddressRange.ofLength(
                                new PhysicalAddress(first + run.address()), run.bytes()))
                .toList();
    }

    @Override
    public Placement placement() {
        return Placement.VRAM;
    }

    @Override
    public boolean isVisible() {
        return !physical.isEmpty();
    }

    @Override
    public List<Run> runs() {
        return runs;
    }

    @Override
    public List<AddressRange<PhysicalAddress>> physical() {
        return physical;
    }

    @Override
    public void free() {
        allocator.free(blocks);
    }
}
