package org.peerlane.dmabuf.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.core.shadow.Entry;
import org.peerlane.dmabuf.core.shadow.Facts;
import org.peerlane.dmabuf.core.shadow.ShadowIndex;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;

/** What the index is told of mappings. */
final class Observed {
    private Observed() {}

    /** {@return a function as requests name it} */
    static int requester(PcieFunction function) {
        PcieAddress address = function.address();
        return address.segment() << 16 | address.requesterId();
    }

    /** {@return a mapping's place in the index; null: there is no room} */
    static @Nullable Entry add(
            ShadowIndex shadow,
            BufferMapping mapping,
            PcieFunction function,
            SgTable table,
            DmaDirection direction) {
        return shadow.add(
                mapping,
                requester(function),
                DmaAttributes.NONE,
                runs(table),
                direction == DmaDirection.TO_DEVICE);
    }

    /** {@return first and last address of each run, neighbours in one} */
    private static long[] runs(SgTable table) {
        long[] runs = new long[2 * table.size()];
        int count = 0;
        for (int i = 0; i < table.size(); i++) {
            long first = table.address(i);
            long last = first + (table.length(i) - 1);
            if (count > 0 && runs[count - 1] + 1 == first) {
                runs[count - 1] = last;
            } else {
                runs[count++] = first;
                runs[count++] = last;
            }
        }
        return count == runs.length ? runs : Arrays.copyOf(runs, count);
    }

    /** {@return what reports say of a mapping} */
    static Facts facts(
            BufferAttachment attachment, long id, Epoch epoch, long unmapped, boolean taken) {
        Buffer buffer = attachment.buffer();
        return new Facts(
                id,
                epoch.generation,
                buffer.id(),
                buffer.exporterName(),
                attachment.id(),
                attachment.owner().owner(),
                attachment.device().name(),
                epoch.endedAt(),
                unmapped,
                taken,
                buffer.revocation().shown());
    }
}
