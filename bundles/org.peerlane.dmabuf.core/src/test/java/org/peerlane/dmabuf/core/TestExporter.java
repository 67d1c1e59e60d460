package org.peerlane.dmabuf.core;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;

/**
 * An exporter that writes down how it is called, and whether the reservation was held; {@link
 * #before} lets a test act or throw inside of a call.
 */
class TestExporter implements DmaBufOperations {
    final List<String> calls = new CopyOnWriteArrayList<>();

    /** What map answers. */
    Supplier<@Nullable SgTable> tables = () -> table(0x1000, TestMachine.SIZE);

    /** Is told the name of each call before it is written down. */
    volatile Call before = (_, _) -> {};

    /** What happens inside of a call. */
    interface Call {
        void in(String name, @Nullable Attachment attachment);
    }

    static SgTable table(long... addressesAndLengths) {
        long[] addresses = new long[addressesAndLengths.length / 2];
        long[] lengths = new long[addresses.length];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = addressesAndLengths[2 * i];
            lengths[i] = addressesAndLengths[2 * i + 1];
        }
        return new SgTable(addresses, lengths, "the exporter's own");
    }

    void called(String name, DmaBuf buffer, @Nullable Attachment attachment) {
        calls.add(name + (buffer.reservation().isHeld() ? " held" : " free"));
        before.in(name, attachment);
    }

    /** {@return the names of the calls alone} */
    List<String> names() {
        return calls.stream().map(call -> call.split(" ")[0]).toList();
    }

    @Override
    public void attach(DmaBuf buffer, Attachment attachment) {
        called("attach", buffer, attachment);
    }

    @Override
    public void detach(DmaBuf buffer, Attachment attachment) {
        called("detach", buffer, attachment);
    }

    @Override
    @SuppressWarnings("NullAway") // an exporter that breaks the contract
    public SgTable map(Attachment attachment, DmaDirection direction) {
        called("map", attachment.buffer(), attachment);
        return tables.get();
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        called("unmap", attachment.buffer(), attachment);
    }

    @Override
    public void release(DmaBuf buffer) {
        called("release", buffer, null);
    }

    /** One whose storage can move. */
    static class Pinned extends TestExporter implements DmaBufOperations.Pinning {
        @Override
        public void pin(Attachment attachment) {
            called("pin", attachment.buffer(), attachment);
        }

        @Override
        public void unpin(Attachment attachment) {
            called("unpin", attachment.buffer(), attachment);
        }
    }

    /** One whose memory the CPU uses, and that tells where it is. */
    static final class Full extends Pinned
            implements DmaBufOperations.CpuAccess,
                    DmaBufOperations.Vmap,
                    DmaBufOperations.PhysicalRanges {
        final IoSysMap map = new IoSysMap(MemorySegment.ofArray(new byte[16]), false);
        final PhysicalList ranges = new PhysicalList(List.of(), true);

        @Override
        public void beginCpuAccess(DmaBuf buffer, DmaDirection direction) {
            called("begin", buffer, null);
        }

        @Override
        public void endCpuAccess(DmaBuf buffer, DmaDirection direction) {
            called("end", buffer, null);
        }

        @Override
        public IoSysMap vmap(DmaBuf buffer) {
            called("vmap", buffer, null);
            return map;
        }

        @Override
        public void vunmap(DmaBuf buffer, IoSysMap given) {
            called("vunmap", buffer, null);
        }

        @Override
        public PhysicalList mapPhysical(Attachment attachment) {
            called("mapPhysical", attachment.buffer(), attachment);
            return ranges;
        }

        @Override
        public void unmapPhysical(Attachment attachment, PhysicalList list) {
            called("unmapPhysical", attachment.buffer(), attachment);
        }
    }
}
