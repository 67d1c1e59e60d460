package org.peerlane.iommu.core;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.RootComplex;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DomainInfo;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDebug;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.api.ReservedRange;
import org.peerlane.iommu.api.TableWalk;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracer;

/**
 * The IOMMU of a machine: the hardware between the root complex and memory, and the software that
 * programs it.
 *
 * <p><b>Life.</b> Until {@link #close}: from then on everything is blocked. The root complex has
 * let go of it before. It starts only on a board whose root complex says that there is one.
 * <b>Threads.</b> Any.
 */
@Component(
        service = {Iommu.class, IommuDebug.class, DmaApi.class, DmaTranslation.class},
        immediate = true,
        configurationPid = IommuUnit.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = IommuConfig.class)
public final class IommuUnit implements Iommu, IommuDebug, DmaApi, DmaTranslation, AutoCloseable {
    static final String PID = "org.peerlane.iommu.core";

    private final ContextTable table = new ContextTable();
    private final Faults faults;
    private final PageRequests pageRequests;
    private final Translator translator;
    private final Flusher flusher;
    private final ReservedRanges reserved;
    private final Contexts contexts;
    private final Features features;
    private final DefaultDomains defaults;
    private final @Nullable InterruptTable interrupts;
    private final Inspection inspection;
    private final RootComplex root;

    /** Starts it as its configuration says. */
    @Activate
    public IommuUnit(
            BundleContext context,
            @Reference Execution execution,
            @Reference Tracer tracer,
            @Reference PhysicalMemory memory,
            @Reference(target = "(" + RootComplex.IOMMU + "=true)")
                    ServiceReference<RootComplex> root,
            IommuConfig config) {
        this(execution, tracer, memory, new LazyRoot(context, root), IommuSettings.of(config));
    }

    /** Starts it with every requester blocked. */
    public IommuUnit(
            Execution execution,
            Tracer tracer,
            PhysicalMemory memory,
            RootComplex root,
            IommuSettings settings) {
        this(
                execution,
                tracer,
                memory,
                root,
                settings,
                new HardwareTables(execution, memory, false));
    }

    IommuUnit(
            Execution execution,
            Tracer tracer,
            PhysicalMemory memory,
            RootComplex root,
            IommuSettings settings,
            TableFactory tables) {
        this.root = root;
        IommuTrace trace = new IommuTrace(tracer);
        faults = new Faults(execution, table, trace, settings.faultSlots());
        pageRequests = new PageRequests(execution, table, root, trace);
        translator = new Translator(execution, table, faults, trace);
        flusher = new Flusher(execution, root, trace, settings.atsTimeoutNanos());
        reserved = new ReservedRanges(settings);
        contexts =
                new Contexts(
                        execution,
                        table,
                        flusher,
                        pageRequests,
                        reserved,
                        tables,
                        settings.outputBits(),
                        trace);
        features = new Features(contexts, flusher, pageRequests);
        inspection = new Inspection(table, contexts, faults);
        defaults = new DefaultDomains(execution, contexts, reserved, settings, memory);
        interrupts =
                settings.interruptRemapping()
                        ? new InterruptTable(execution, memory, faults)
                        : null;
    }

    // The hardware.

    @Override
    public int translate(int requester, int attributes, long address, boolean write, Target into) {
        return translator.translate(requester, attributes, address, write, into);
    }

    @Override
    public int translationRequest(
            int requester, int attributes, long address, int permissions, Target into) {
        return translator.translationRequest(requester, attributes, address, permissions, into);
    }

    @Override
    public void pageRequest(int requester, int attributes, long address, int flags, int group) {
        pageRequests.add(requester, attributes, address, flags, group);
    }

    @Override
    public long interrupt(int requester, long address, int data) {
        return interrupts == null
                ? DmaTranslation.super.interrupt(requester, address, data)
                : interrupts.look(requester, address, data);
    }

    // Its software.

    @Override
    public IommuDomain newDomain(DomainSpec spec) {
        return contexts.newDomain(spec);
    }

    @Override
    public IommuDomain identity() {
        return contexts.identity;
    }

    @Override
    public IommuDomain blocked() {
        return contexts.blocked;
    }

    @Override
    public DomainSpec defaultSpec() {
        return defaults.spec();
    }

    @Override
    public IommuDomain defaultDomain(PcieAddress function) {
        return defaults.domain(function);
    }

    @Override
    public DmaDevice device(PcieAddress function) {
        return defaults.device(function);
    }

    @Override
    public Optional<IommuDomain> domainOf(PcieAddress function, int pasid) {
        return Optional.ofNullable(contexts.domainOf(function, pasid));
    }

    @Override
    public void attach(PcieAddress function, int pasid, IommuDomain domain) {
        contexts.attach(function, pasid, own(domain));
    }

    @Override
    public void replace(PcieAddress function, int pasid, IommuDomain domain) {
        contexts.replace(function, pasid, own(domain));
    }

    private static Domain own(IommuDomain domain) {
        if (domain instanceof Domain own) {
            return own;
        }
        throw new ErrnoException(Errno.EINVAL, domain + " is of another IOMMU");
    }

    @Override
    public void detach(PcieAddress function, int pasid) {
        contexts.detach(function, pasid);
    }

    @Override
    public void enablePasid(PcieFunction function, boolean on) {
        features.pasid(function, on);
    }

    @Override
    public void enableAts(PcieFunction function, boolean on) {
        features.ats(function, on);
    }

    @Override
    public void enablePri(PcieFunction function, int outstanding) {
        features.pri(function, outstanding);
    }

    @Override
    public List<ReservedRange> reservedRanges(PcieAddress function) {
        return reserved.of(function);
    }

    @Override
    public List<FaultRecord> faults() {
        return faults.recent();
    }

    @Override
    public long faultsLost() {
        return faults.lost();
    }

    @Override
    public long remapInterrupt(PcieAddress function, long address, int data) {
        return interrupts == null
                ? address << 32 | data & 0xFFFF_FFFFL
                : interrupts.map(function, address, data);
    }

    @Override
    public void unmapInterrupt(long message) {
        if (interrupts != null) {
            interrupts.unmap(message);
        }
    }

    // What it holds, for reports.

    @Override
    public List<DomainInfo> domains() {
        return inspection.domains();
    }

    @Override
    public TableWalk walk(PcieAddress requester, int pasid, long iova) {
        return inspection.walk(requester, pasid, iova);
    }

    @Override
    public List<IotlbEntry> iotlb(PcieAddress requester) {
        return inspection.iotlb(requester);
    }

    @Override
    public void clearFaults() {
        inspection.clearFaults();
    }

    /** Blocks everything, ends its threads and frees what the DMA API has made. */
    @Deactivate
    @Override
    public void close() {
        contexts.clear();
        try {
            pageRequests.close();
            defaults.close();
            faults.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (interrupts != null) {
            interrupts.close();
        }
        if (root instanceof LazyRoot lazy) {
            lazy.close();
        }
    }
}
