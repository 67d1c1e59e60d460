package org.peerlane.tests.hotswap.guest;

import java.util.Objects;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.FileTable;

/** Exports a buffer to the process that is there, as its descriptor 0. */
public final class ExportingGuest implements BundleActivator, DmaBufOperations {
    private static final long SIZE = 0x4000;

    /** For the framework. */
    public ExportingGuest() {}

    @Override
    public void start(BundleContext context) {
        ServiceReference<DmaBufs> reference =
                Objects.requireNonNull(context.getServiceReference(DmaBufs.class));
        FileTable files =
                context.getService(
                        Objects.requireNonNull(context.getServiceReference(FileTable.class)));
        DmaBufs dmabufs = context.getService(reference);
        dmabufs.fd(files, dmabufs.export(new ExportInfo("guest", this, SIZE, this)), 0);
    }

    @Override
    public void stop(BundleContext context) {}

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        return new SgTable(new long[] {0x1000}, new long[] {SIZE}, this);
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {}

    @Override
    public void release(DmaBuf buffer) {}
}
