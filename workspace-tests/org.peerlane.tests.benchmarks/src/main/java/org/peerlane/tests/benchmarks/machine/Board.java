package org.peerlane.tests.benchmarks.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.trace.api.Tracer;

/**
 * A machine with three types of device and nothing that listens.
 *
 * <p><b>Devices.</b> The n-th that is plugged is of the type n mod 3. BAR 0 is a page of registers,
 * BAR 2 {@link #VRAM_BYTES} of memory. {@link #warm} makes each do some work, so that nothing which
 * is measured then has been compiled for one type alone.
 */
public final class Board implements AutoCloseable {
    /** Bytes of BAR 2. */
    public static final int VRAM_BYTES = Models.VRAM_BYTES;

    /** Log of the pages of {@link #block}: 2 MiB. */
    private static final int BLOCK_ORDER = 9;

    private static final int TYPES = 3;
    private static final long LIMIT_NANOS = 60_000_000_000L;
    private static final int WARM = 60_000;

    private final LiveExecution execution = new LiveExecution("bench");
    private final SparseMemory memory = new SparseMemory(execution, 64);
    private final MemorySegment ram = memory.regions().getFirst().segment();
    private final Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
    private final PcieRoot root;
    private final @Nullable IommuUnit iommu;
    private final Map<String, DeviceSlot> slots = new ConcurrentHashMap<>();
    private final List<PcieFunction> functions = new ArrayList<>();
    private final List<SlotConfig> wanted = new ArrayList<>();

    private Board(List<PortConfig> ports, @Nullable IommuSettings settings) {
        root =
                new PcieRoot(
                        execution,
                        tracer,
                        memory,
                        List.of(HostBridgeConfig.DEFAULT),
                        ports,
                        settings != null,
                        false);
        for (int kind = 0; kind < TYPES; kind++) {
            int one = kind;
            root.addType(slot -> keep(slot, one), "d" + kind, TypeVersion.of(1, 0, 0));
        }
        iommu = settings == null ? null : new IommuUnit(execution, tracer, memory, root, settings);
        if (iommu != null) {
            root.translation(iommu);
        }
    }

    private DeviceModel keep(DeviceSlot slot, int kind) {
        slots.put(slot.name(), slot);
        return Models.of(kind);
    }

    /** {@return a machine without an IOMMU} */
    public static Board untranslated(PortConfig... ports) {
        return new Board(List.of(ports), null);
    }

    /** {@return a machine with an IOMMU} */
    public static Board translated(IommuSettings settings) {
        return new Board(List.of(), settings);
    }

    /** Wants a device in the root complex: at 00:01.0 the first, and so on. */
    public Board device() {
        String at = "00:%02x.0".formatted(wanted.size() + 1);
        wanted.add(new SlotConfig(name(), type(), at, Map.of()));
        return this;
    }

    /** Wants a device below a port. */
    public Board device(String port, int function) {
        wanted.add(new SlotConfig(name(), type(), "", port, function, Map.of()));
        return this;
    }

    private String name() {
        return "s" + wanted.size();
    }

    private String type() {
        return "d" + wanted.size() % TYPES;
    }

    /** Plugs the devices, with decoding and bus mastering on. */
    public Board plug() throws InterruptedException {
        wanted.forEach(root::addSlot);
        if (!root.settle(LIMIT_NANOS)) {
            throw new IllegalStateException("the bus does not settle");
        }
        for (SlotConfig slot : wanted) {
            PcieFunction function =
                    root.functions().stream()
                            .filter(f -> f.slot().equals(slot.name()))
                            .findFirst()
                            .orElseThrow();
            function.enable(true, true);
            functions.add(function);
        }
        return this;
    }

    /**
     * Makes the devices work in turns: registers, and DMA.
     *
     * @param address that each of them reaches
     */
    public Board warm(long address) {
        MemorySegment local = Arena.ofAuto().allocate(4096, 4096);
        int devices = Math.min(functions.size(), 2 * TYPES);
        for (int i = 0; i < WARM; i++) {
            PcieFunction any = functions.get(i % devices);
            any.write(0, 8, 4, any.read(0, 8, 4) + 1);
            DmaPort port = port(i % devices);
            port.write(address, 0, local, 0, 64);
            port.read(address, 0, local, 0, 128);
        }
        return this;
    }

    /** {@return the function of the n-th device} */
    public PcieFunction function(int device) {
        return functions.get(device);
    }

    /** {@return how the n-th device does DMA} */
    public DmaPort port(int device) {
        return Objects.requireNonNull(slots.get("s" + device)).dma();
    }

    /** {@return where BAR 2 of the n-th device is} */
    public long vram(int device) {
        return functions.get(device).bar(2).first().value();
    }

    /** {@return the IOMMU} */
    public IommuUnit iommu() {
        return Objects.requireNonNull(iommu);
    }

    /** Puts the n-th device into a domain. */
    public void attach(int device, IommuDomain domain) {
        iommu().replace(functions.get(device).address(), Iommu.NO_PASID, domain);
    }

    /** {@return RAM from physical address 0 on} */
    public MemorySegment ram() {
        return ram;
    }

    /** {@return the physical address of 2 MiB of RAM that nobody else uses, aligned} */
    public long block() {
        return memory.pages().allocate(BLOCK_ORDER);
    }

    /** {@return the bus} */
    public PcieBus bus() {
        return root;
    }

    /** Shows somebody every request from now on. */
    public void observer(DmaObserver observer) {
        root.observer(observer);
    }

    /** Ends the machine. */
    @Override
    public void close() {
        root.close();
        if (iommu != null) {
            root.translationGone(iommu);
            iommu.close();
        }
        memory.close();
        execution.close();
    }
}
