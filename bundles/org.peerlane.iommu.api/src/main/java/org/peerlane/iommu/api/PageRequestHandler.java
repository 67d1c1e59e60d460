package org.peerlane.iommu.api;

import org.osgi.annotation.versioning.ConsumerType;

/** Answers the page requests of a domain (PT-61). */
@ConsumerType
@FunctionalInterface
public interface PageRequestHandler {
    /**
     * A group is complete. Answer it now or later, by {@link PageRequestGroup#respond}.
     *
     * <p><b>Threads.</b> The IOMMU's own; other groups wait meanwhile. If it throws, the answer is
     * {@code FAILURE}.
     */
    void handle(PageRequestGroup group);
}
