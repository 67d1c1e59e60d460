package org.peerlane.iommu.core;

import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.peerlane.bus.api.RootComplex;

/**
 * The root complex, asked for when it is first needed: the bus itself asks for the IOMMU, and for
 * drivers that ask for the DMA API, while it comes up. Two components that both ask at once would
 * be a cycle that the framework refuses.
 *
 * <p><b>Threads.</b> Any. <b>Cost.</b> A volatile read.
 */
final class LazyRoot implements RootComplex, AutoCloseable {
    private final BundleContext context;
    private final ServiceReference<RootComplex> reference;
    private volatile @Nullable RootComplex root;

    LazyRoot(BundleContext context, ServiceReference<RootComplex> reference) {
        this.context = context;
        this.reference = reference;
    }

    /** {@return the root complex, or null: it has left, and with it all that could be in flight} */
    private @Nullable RootComplex root() {
        RootComplex one = root;
        if (one == null) {
            one = context.getService(reference); // a bundle gets the same object each time
            root = one;
        }
        return one;
    }

    @Override
    public void drain(int requester) {
        RootComplex one = root();
        if (one != null) {
            one.drain(requester);
        }
    }

    @Override
    public void drainAll() {
        RootComplex one = root();
        if (one != null) {
            one.drainAll();
        }
    }

    @Override
    public boolean invalidate(int requester, int pasid, long iova, long bytes, long timeoutNanos) {
        RootComplex one = root();
        return one == null || one.invalidate(requester, pasid, iova, bytes, timeoutNanos);
    }

    @Override
    public void respond(int requester, int pasid, int group, int code) {
        RootComplex one = root();
        if (one != null) {
            one.respond(requester, pasid, group, code);
        }
    }

    /** Gives it back. Nobody calls any more. */
    @Override
    public void close() {
        if (root != null) {
            root = null;
            context.ungetService(reference);
        }
    }
}
