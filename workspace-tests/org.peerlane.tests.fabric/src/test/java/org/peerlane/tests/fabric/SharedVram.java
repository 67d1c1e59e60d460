package org.peerlane.tests.fabric;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.AttachOperations.InvalidateMappings;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Profile;

/**
 * A buffer of one page in the memory of a card, and another card below the same switch that imports
 * it: directly, so that no IOMMU is in the way. The exporter moves it between two places.
 */
final class SharedVram implements DmaBufOperations, AutoCloseable {
    /** What whoever gets the old place writes there. */
    static final int OURS = 0x5A;

    /** What the importer writes. */
    static final int ITS = 0xEE;

    private static final long PAGE = 4096;

    /** No mapping has this address in the BAR. */
    private static final long ELSEWHERE = 0x8000;

    static final FenceOperations ISSUER =
            new FenceOperations() {
                @Override
                public String driverName() {
                    return "driver";
                }

                @Override
                public String timelineName(Fence fence) {
                    return "engine";
                }
            };

    final Rig rig;
    final DmaBufCore core;
    final OwnerDmaBufs gpu;
    final OwnerDmaBufs nvme;
    final Card exporter;
    final Card importer;
    final DmaBuf buffer;
    private final PcieFunction provider;
    private final DmaDevice dma;
    private long place;

    SharedVram(Execution execution, boolean queued) {
        this(execution, HostBridgeConfig.DEFAULT, queued);
    }

    SharedVram(Execution execution, HostBridgeConfig host, boolean queued) {
        rig = new Rig(execution, host, Rig.SWITCH, true, queued, false);
        exporter = rig.plug("gpu0", "sw0.0");
        importer = rig.plug("nvme0", "sw0.1");
        Registers.acs(rig.function("sw0.0"), 0);
        Registers.acs(rig.function("sw0.1"), 0);
        provider = rig.function("gpu0");
        core = new DmaBufCore(execution, rig.tracer, Profile.DEFAULT, null, true);
        core.setBus(rig.root);
        core.setIommu(rig.iommu());
        rig.root.addListener(core.listener());
        observe();
        gpu = new OwnerDmaBufs("gpu-driver", core);
        nvme = new OwnerDmaBufs("nvme-driver", core);
        dma = rig.iommu().device(rig.function("nvme0").address());
        dma.mask(64);
        buffer = gpu.export(new ExportInfo("vram", this, PAGE, this));
    }

    private void observe() {
        var observer = core.observer();
        if (observer != null) {
            rig.root.observer(observer);
        }
    }

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        return gpu.mapPeer(
                attachment,
                rig.root.peerProvider(provider, 2),
                List.of(AddressRange.ofLength(provider.bar(2).first().plus(place), PAGE)),
                direction);
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        gpu.freeSgTable(attachment, table, direction);
    }

    @Override
    public void release(DmaBuf ended) {}

    Attachment attach(@Nullable InvalidateMappings callback) {
        return nvme.dynamicAttach(buffer, device(), new AttachOperations(true, callback), null);
    }

    ImporterDevice device() {
        return ImporterDevice.of(rig.function("nvme0"), dma);
    }

    /** Moves the buffer; the old place gets another owner, who writes at once. */
    void move() {
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            gpu.invalidateMappings(buffer);
            reservation.waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
            long old = place;
            place = old == 0 ? PAGE : 0;
            MemorySegment.copy(exporter.vram, old, exporter.vram, place, PAGE);
            exporter.vram.asSlice(old, PAGE).fill((byte) OURS);
        } finally {
            reservation.unlock();
        }
    }

    /** Makes mappings stale, and nothing else. */
    void invalidate() {
        buffer.reservation().whileHeld(_ -> gpu.invalidateMappings(buffer));
    }

    /** {@return a fence of an owner's that the buffer has now} */
    Fence fence(OwnerDmaBufs owner, FenceUsage usage) {
        Fence fence = owner.fences().create(ISSUER, owner.fences().allocateContexts(1), 1);
        buffer.reservation()
                .whileHeld(reservation -> {
                    reservation.reserveFences(1);
                    reservation.addFence(fence, usage);
                });
        return fence;
    }

    /** Ends the work of a fence. */
    static void end(Fence fence) {
        fence.signal();
        fence.put();
    }

    /** The importer makes sure that what it has posted has arrived. */
    void flush() {
        importer.read(provider.bar(2).first().value() + ELSEWHERE, new byte[1]);
    }

    /** {@return the first byte of the card's memory, where the buffer is at first} */
    byte first() {
        return exporter.vram.get(ValueLayout.JAVA_BYTE, 0);
    }

    static void unmap(DmaBufMapping mapping) {
        mapping.attachment().unmapUnlocked(mapping, mapping.direction());
    }

    /** {@return the rules that were broken, in order} */
    List<String> broken() {
        return core.violations().stream().map(Violation::rule).toList();
    }

    /** Gives everything back. */
    void finish(Attachment attachment, DmaBufMapping mapping) {
        unmap(mapping);
        finish(attachment);
    }

    void finish(Attachment attachment) {
        nvme.detach(buffer, attachment);
        gpu.put(buffer);
    }

    @Override
    public void close() {
        core.close();
        rig.close();
    }
}
