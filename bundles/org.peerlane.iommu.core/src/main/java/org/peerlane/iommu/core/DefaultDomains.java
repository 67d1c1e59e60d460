package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.ReservedRange;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The domains of the DMA API, one for each function that has asked: paging, with DIRECT ranges
 * mapped one to one, or identity.
 *
 * <p><b>Threads.</b> Any; guarded by the lock of {@link Contexts}.
 */
final class DefaultDomains {
    private final Execution execution;
    private final Contexts contexts;
    private final ReservedRanges reserved;
    private final PhysicalMemory memory;
    private final DomainSpec spec;
    private final boolean passThrough;
    private final @Nullable LazyFlusher lazy;
    private final List<Domain> made = new ArrayList<>();

    DefaultDomains(
            Execution execution,
            Contexts contexts,
            ReservedRanges reserved,
            IommuSettings settings,
            PhysicalMemory memory) {
        this.execution = execution;
        this.contexts = contexts;
        this.reserved = reserved;
        this.memory = memory;
        spec = new DomainSpec(settings.format(), settings.inputBits(), Set.of());
        passThrough = settings.mode() == IommuSettings.Mode.PASSTHROUGH;
        lazy = settings.mode() == IommuSettings.Mode.LAZY ? new LazyFlusher(execution) : null;
    }

    DomainSpec spec() {
        return spec;
    }

    Domain domain(PcieAddress function) {
        contexts.lock().lock();
        try {
            Requester requester = contexts.requester(function);
            Domain domain = requester.defaultDomain;
            if (domain == null) {
                domain = passThrough ? contexts.identity : newPaging(function);
                requester.defaultDomain = domain;
            }
            return domain;
        } finally {
            contexts.lock().unlock();
        }
    }

    private Domain newPaging(PcieAddress function) {
        Domain domain = contexts.newDomain(spec);
        made.add(domain);
        for (ReservedRange one : reserved.of(function)) {
            if (isDirect(one)) {
                long first = one.range().first().value() & -PhysicalMemory.PAGE_BYTES;
                long last = one.range().last().value() | PhysicalMemory.PAGE_BYTES - 1;
                domain.map(
                        first,
                        first,
                        last - first + 1,
                        IommuDomain.READ | IommuDomain.WRITE | IommuDomain.CACHE);
            }
        }
        return domain;
    }

    private static boolean isDirect(ReservedRange one) {
        return one.kind() == ReservedRange.Kind.DIRECT
                || one.kind() == ReservedRange.Kind.DIRECT_RELAXABLE;
    }

    DmaDevice device(PcieAddress function) {
        contexts.lock().lock();
        try {
            Requester requester = contexts.requester(function);
            DmaDevice device = requester.dma;
            if (device == null) {
                Domain domain = domain(function);
                device =
                        domain.kind() == DomainKind.PAGING
                                ? newMapped(requester, domain)
                                : new DirectDevice(memory);
                requester.dma = device;
            }
            if (requester.untagged == null) {
                contexts.move(requester, Iommu.NO_PASID, requester.defaultDomain);
            }
            return device;
        } finally {
            contexts.lock().unlock();
        }
    }

    private MappedDevice newMapped(Requester requester, Domain domain) {
        IovaAllocator iovas = new IovaAllocator(execution, domain.aperture().last().value());
        for (ReservedRange one : reserved.of(requester.address)) {
            iovas.reserve(one.range().first().value(), one.range().last().value());
        }
        FlushQueue queue = lazy == null ? null : lazy.newQueue(domain, iovas);
        return new MappedDevice(requester, domain, iovas, queue, memory);
    }

    /** Frees the domains; the contexts have been cleared. */
    void close() throws InterruptedException {
        if (lazy != null) {
            lazy.close();
        }
        contexts.lock().lock();
        try {
            made.forEach(Domain::free);
            made.clear();
        } finally {
            contexts.lock().unlock();
        }
    }
}
