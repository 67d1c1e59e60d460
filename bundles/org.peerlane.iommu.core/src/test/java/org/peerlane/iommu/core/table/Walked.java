package org.peerlane.iommu.core.table;

/** The answer of a walk, taken apart. */
final class Walked {
    long physical;
    long leafIova;
    long leafBytes;

    /** That the path grants, whether the leaf is dirty or not. */
    int permissions;

    boolean dirty;

    /** {@return 0, or the reason of the fault} */
    int of(PageTable table, long iova, boolean write) {
        long answer = table.walk(iova, write);
        if (Walk.reason(answer) == 0) {
            physical = Walk.physical(answer, iova);
            leafBytes = Walk.bytes(answer);
            leafIova = iova & -leafBytes;
            dirty = (answer & Walk.DIRTY) != 0;
            permissions =
                    Walk.permissions(answer) & PageTable.READ
                            | ((answer & Walk.GRANTED) != 0 ? PageTable.WRITE : 0);
        }
        return Walk.reason(answer);
    }
}
