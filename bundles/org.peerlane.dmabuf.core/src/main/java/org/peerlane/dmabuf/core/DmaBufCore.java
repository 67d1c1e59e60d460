package org.peerlane.dmabuf.core;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.QuarantineInfo;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Machine;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.trace.api.Tracer;

/**
 * What all bundles share: every buffer of the machine. Each bundle meets it through an {@link
 * OwnerDmaBufs} of its own.
 *
 * <p><b>Life.</b> As long as the machine's profile is in force. A bus may come and go.
 * <b>Threads.</b> Any.
 */
@Component(
        service = {DmaBufCore.class, DmaBufDebug.class},
        configurationPid = "org.peerlane.dmabuf.core")
@Designate(ocd = DmaBufConfig.class)
public final class DmaBufCore implements DmaBufDebug {
    private final Services services;
    private final BufferRegistry registry;
    private final Inspection inspection;
    private final Departures departures;

    /** Of the locks of all bundles; null while checks are off. */
    private final @Nullable LockObservation observation;

    /** Null: nobody looks at DMA. */
    private @Nullable ServiceRegistration<DmaObserver> registration;

    /** Null without a framework. */
    private @Nullable ServiceRegistration<FunctionListener> listening;

    /** Null while there is none. */
    private volatile @Nullable PcieBus bus;

    /** Null while there is none. */
    private volatile @Nullable Iommu iommu;

    /** For the framework. */
    @Activate
    public DmaBufCore(
            @Reference Execution execution,
            @Reference Tracer tracer,
            @Reference Machine machine,
            @Reference AddressSpaces spaces,
            BundleContext context,
            DmaBufConfig config) {
        this(execution, tracer, machine.profile(), spaces, DmaBufSettings.of(config));
        DmaObserver index = observer();
        if (index != null) { // no component: this needs no bus, and a bus can do without it
            registration = context.registerService(DmaObserver.class, index, null);
        }
        listening = context.registerService(FunctionListener.class, departures, null);
    }

    @Deactivate
    void deactivate() {
        ServiceRegistration<DmaObserver> registered = registration;
        if (registered != null) {
            registered.unregister();
        }
        ServiceRegistration<FunctionListener> told = listening;
        if (told != null) {
            told.unregister();
        }
        close();
    }

    /**
     * For tests and programs without a framework.
     *
     * @param spaces null if no process maps anything
     * @param checks whether to watch threads
     */
    @SuppressWarnings("this-escape") // the bus is asked later
    public DmaBufCore(
            Execution execution,
            Tracer tracer,
            Profile profile,
            @Nullable AddressSpaces spaces,
            boolean checks) {
        this(execution, tracer, profile, spaces, DmaBufSettings.of(checks));
    }

    /**
     * For tests and programs without a framework.
     *
     * @param spaces null if no process maps anything
     */
    @SuppressWarnings("this-escape") // the bus is asked later
    public DmaBufCore(
            Execution execution,
            Tracer tracer,
            Profile profile,
            @Nullable AddressSpaces spaces,
            DmaBufSettings settings) {
        Checks watched = new Checks(execution, tracer, settings.checks());
        observation = watched.observe(execution);
        services =
                new Services(
                        execution,
                        tracer,
                        watched,
                        profile,
                        new CorePrimitives(execution, tracer, watched, profile),
                        spaces,
                        () -> bus,
                        () -> iommu);
        registry = new BufferRegistry(services);
        inspection = new Inspection(services, registry);
        departures = new Departures(services, registry, settings.departureNanos());
    }

    /** The machine has a bus, on which peers have routes to each other. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void setBus(PcieBus now) {
        bus = now;
    }

    /** It has none any more. */
    @SuppressWarnings("ReferenceEquality") // the very service
    public void unsetBus(PcieBus before) {
        if (bus == before) {
            bus = null;
        }
    }

    /** The machine has an IOMMU, which can block devices. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void setIommu(Iommu now) {
        iommu = now;
    }

    /** It has none any more. */
    @SuppressWarnings("ReferenceEquality") // the very service
    public void unsetIommu(Iommu before) {
        if (iommu == before) {
            iommu = null;
        }
    }

    /** Nobody is waited for any more, and the locks of others are not watched. */
    public void close() {
        departures.close();
        services.primitives.close();
        LockObservation watching = observation;
        if (watching != null) {
            watching.close();
        }
    }

    /** {@return who is to be shown all DMA; null: nobody} */
    public @Nullable DmaObserver observer() {
        return services.shadow;
    }

    /** {@return who is to be told of resets and of devices that have gone} */
    public FunctionListener listener() {
        return departures;
    }

    Departures whoLeaves() {
        return departures;
    }

    Services services() {
        return services;
    }

    BufferRegistry registry() {
        return registry;
    }

    @Override
    public List<BufferInfo> buffers() {
        return inspection.buffers();
    }

    @Override
    public BufferInfo buffer(long id) {
        return inspection.buffer(id);
    }

    @Override
    public List<String> why(long id) {
        return inspection.why(id);
    }

    @Override
    public List<DepartureReport> departures() {
        return departures.reports();
    }

    @Override
    public List<QuarantineInfo> quarantined() {
        return services.quarantine.list();
    }

    @Override
    public void liftQuarantine(String slot) {
        PcieFunction function = services.quarantine.find(slot);
        if (function == null || !services.quarantine.lift(function)) {
            throw new ErrnoException(
                    Errno.ENOENT,
                    "%s is not in quarantine; there are: %s"
                            .formatted(
                                    slot,
                                    quarantined().stream().map(QuarantineInfo::slot).toList()));
        }
    }

    @Override
    public List<Violation> violations() {
        return services.checks.violations().latest();
    }

    @Override
    public long violationCount() {
        return services.checks.violations().count();
    }
}
