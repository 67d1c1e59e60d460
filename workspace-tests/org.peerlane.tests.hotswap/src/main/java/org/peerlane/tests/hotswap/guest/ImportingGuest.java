package org.peerlane.tests.hotswap.guest;

import java.util.Objects;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.FileTable;

/** Attaches to the buffer behind descriptor 0 of the process that is there, and maps it. */
public final class ImportingGuest implements BundleActivator {
    /** For the framework. */
    public ImportingGuest() {}

    @Override
    public void start(BundleContext context) {
        ServiceReference<DmaBufs> reference =
                Objects.requireNonNull(context.getServiceReference(DmaBufs.class));
        FileTable files =
                context.getService(
                        Objects.requireNonNull(context.getServiceReference(FileTable.class)));
        DmaBufs dmabufs = context.getService(reference);
        DmaBuf buffer = dmabufs.get(files, 0);
        Attachment attachment =
                dmabufs.dynamicAttach(
                        buffer,
                        new ImporterDevice("guest0", null, null),
                        new AttachOperations(true, this::invalidated),
                        this);
        attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
    }

    private void invalidated(Attachment attachment) {
        Objects.requireNonNull(attachment);
    }

    @Override
    public void stop(BundleContext context) {}
}
