package org.peerlane.iommu.core.table;

import java.util.List;
import org.peerlane.iommu.api.TableWalk;

/**
 * What a walk would find.
 *
 * @param steps the entries that it reads
 * @param readFault why it may not read, or 0
 * @param writeFault why it may not write, or 0
 * @param physical where it goes, if it may do either
 * @param bytes of the leaf
 */
public record Look(
        List<TableWalk.Step> steps, int readFault, int writeFault, long physical, long bytes) {

    static Look fault(List<TableWalk.Step> steps, int readFault, int writeFault) {
        return new Look(steps, readFault, writeFault, 0, 0);
    }
}
