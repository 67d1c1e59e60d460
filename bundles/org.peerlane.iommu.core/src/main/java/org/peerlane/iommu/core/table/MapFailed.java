package org.peerlane.iommu.core.table;

import java.io.Serial;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** A map that stopped half-way; the caller unmaps what is there (PT-36). */
public final class MapFailed extends ErrnoException {
    @Serial private static final long serialVersionUID = 1;

    private final long mapped;

    /**
     * @param mapped bytes from the start that are mapped now
     */
    public MapFailed(Errno errno, String sentence, long mapped) {
        super(errno, sentence);
        this.mapped = mapped;
    }

    /** {@return bytes from the start that are mapped now} */
    public long mapped() {
        return mapped;
    }
}
