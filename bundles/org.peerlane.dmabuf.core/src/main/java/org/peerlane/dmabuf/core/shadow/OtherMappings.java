package org.peerlane.dmabuf.core.shadow;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDebug;
import org.peerlane.iommu.api.TableWalk;

/**
 * Whether a function's driver has mapped addresses anew for something that is no buffer, such as a
 * ring: the index is not told of that, but the IOMMU's table knows.
 *
 * <p><b>Threads.</b> Any, inside of transactions.
 */
@FunctionalInterface
public interface OtherMappings {
    /** There are none: addresses are physical ones. */
    OtherMappings NONE = (_, _, _, _) -> false;

    /** {@return whether the function reaches anything there} Of an address that was taken back. */
    boolean reaches(int requester, int attributes, long address, boolean write);

    /** {@return what an IOMMU's tables say} */
    static OtherMappings of(Supplier<@Nullable Iommu> iommu) {
        return (requester, attributes, address, write) ->
                iommu.get() instanceof IommuDebug tables
                        && (attributes & DmaAttributes.TRANSLATED) == 0
                        && isMapped(
                                tables.walk(
                                        address(requester),
                                        DmaAttributes.pasid(attributes),
                                        address),
                                write);
    }

    private static boolean isMapped(TableWalk walk, boolean write) {
        return walk.kind().orElse(DomainKind.BLOCKED) == DomainKind.PAGING
                && (write ? walk.writeFault() : walk.readFault()).isEmpty();
    }

    private static PcieAddress address(int requester) {
        return new PcieAddress(
                requester >>> 16, requester >>> 8 & 0xFF, requester >>> 3 & 0x1F, requester & 7);
    }
}
