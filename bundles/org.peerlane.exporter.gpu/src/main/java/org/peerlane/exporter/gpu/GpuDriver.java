package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.Gpus;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracer;

/**
 * The driver of GPUs.
 *
 * <p>It needs buffers, they need the bus, and the bus looks for drivers when it begins; so it
 * becomes a driver only when all of that is there, and not by its own declaration.
 *
 * <p><b>Life.</b> A function is a {@link Card} from probe to remove. <b>Locks.</b> {@code
 * gpu.driver} guards the list only. <b>Threads.</b> Any.
 */
@Component(service = Gpus.class, immediate = true, configurationPid = "org.peerlane.exporter.gpu")
@Designate(ocd = GpuDriver.Config.class)
public final class GpuDriver implements Gpus, PcieDriver, FunctionListener {
    private static final Logger LOG = LogManager.getLogger(GpuDriver.class);

    /** How it behaves. */
    @ObjectClassDefinition(name = "GPU driver")
    public @interface Config {
        /** See {@link GpuSettings#gttMiB}. */
        @AttributeDefinition(
                description = "MiB of RAM that each card may address; 0: half of the RAM")
        int gttMiB() default 0;

        /** See {@link GpuSettings#timeoutMillis}. */
        @AttributeDefinition(description = "ms that work may take until the card is reset")
        int timeoutMillis() default 10_000;

        /** See {@link GpuSettings#resizeBar}. */
        @AttributeDefinition(description = "puts as much VRAM as can be behind the BAR")
        boolean resizeBar() default true;
    }

    private final Surroundings surroundings;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Map<PcieFunction, Card> cards = new HashMap<>();

    private @Nullable ServiceRegistration<PcieDriver> driver;
    private @Nullable ServiceRegistration<FunctionListener> listener;

    /** Made by the framework. */
    @Activate
    @SuppressWarnings("this-escape") // the bus may call at once
    public GpuDriver(
            @Reference Execution execution,
            @Reference PcieBus bus,
            @Reference DmaApi dma,
            @Reference DmaBufs dmabufs,
            @Reference PhysicalMemory memory,
            @Reference AddressSpaces spaces,
            @Reference Tracer tracer,
            BundleContext context,
            Config config) {
        this(
                execution,
                bus,
                dma,
                dmabufs,
                memory,
                spaces,
                tracer,
                new GpuSettings(config.gttMiB(), config.timeoutMillis(), config.resizeBar()));
        listener = context.registerService(FunctionListener.class, this, null);
        driver = context.registerService(PcieDriver.class, this, null);
    }

    /** Without a framework. */
    public GpuDriver(
            Execution execution,
            PcieBus bus,
            DmaApi dma,
            DmaBufs dmabufs,
            PhysicalMemory memory,
            AddressSpaces spaces,
            Tracer tracer,
            GpuSettings settings) {
        surroundings =
                new Surroundings(execution, bus, dma, dmabufs, memory, spaces, tracer, settings);
        lock = execution.lock("gpu.driver");
    }

    @Override
    public String name() {
        return "gpu";
    }

    @Override
    public boolean matches(PcieFunction function) {
        return function.vendorId() == GpuRegisters.VENDOR_ID
                && function.deviceId() == GpuRegisters.DEVICE_ID;
    }

    @Override
    public void probe(PcieFunction function) {
        Card card = new Card(surroundings, function);
        lock.lock();
        try {
            cards.put(function, card);
        } finally {
            lock.unlock();
        }
        LOG.info("{} at {} is driven", function.slot(), function.address());
    }

    @Override
    public void remove(PcieFunction function, boolean gone) {
        Card card;
        lock.lock();
        try {
            card = cards.remove(function);
        } finally {
            lock.unlock();
        }
        if (card != null) {
            card.close(gone);
            LOG.info("{} is {}", function.slot(), gone ? "gone" : "given back");
        }
    }

    @Override
    public void reset(PcieFunction function, ResetKind kind) {
        Card card;
        lock.lock();
        try {
            card = cards.get(function);
        } finally {
            lock.unlock();
        }
        if (card != null) {
            card.wasReset();
        }
    }

    /** The driver goes: what the bus has not taken back by now. */
    @Deactivate
    public void close() {
        if (driver != null) {
            driver.unregister(); // the bus takes back what it has given
        }
        for (Gpu left : gpus()) {
            remove(left.function(), !left.function().isPresent());
        }
        if (listener != null) {
            listener.unregister();
        }
    }

    @Override
    public List<Gpu> gpus() {
        List<Gpu> now;
        lock.lock();
        try {
            now = new ArrayList<>(cards.values());
        } finally {
            lock.unlock();
        }
        now.sort(Comparator.comparing(one -> one.function().address()));
        return now;
    }

    @Override
    public Gpu gpu(String name) {
        return gpus().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ErrnoException(
                                Errno.ENODEV, "no GPU '%s'; there are %s".formatted(name, gpus())));
    }
}
