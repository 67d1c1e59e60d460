package org.peerlane.testkit.dmabuf;

import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;

/** Fences for work that a test ends. <b>Threads.</b> Any. */
final class MockFences {
    private MockFences() {}

    private record Named(String driver, String timeline) implements FenceOperations {
        @Override
        public String driverName() {
            return driver;
        }

        @Override
        public String timelineName(Fence fence) {
            return timeline;
        }
    }

    /** {@return a fence of a bundle's, on a timeline of its own, with one reference} */
    static Fence next(DmaBufs dmabufs, String timeline) {
        return dmabufs.fences()
                .create(
                        new Named(dmabufs.owner(), timeline),
                        dmabufs.fences().allocateContexts(1),
                        1);
    }
}
