package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.device.gpu.GpuDeviceType;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.DmaBufSettings;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Execution;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.trace.api.Tracer;

/** A machine of the real parts: an IOMMU, a switch of four slots, and the GPU's driver. */
public final class GpuMachine implements AutoCloseable {
    private static final long SECOND = 1_000_000_000L;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;

    public final Execution execution;
    public final SparseMemory memory;
    public final Tracer tracer;
    public final PcieRoot root;
    public final IommuUnit iommu;
    public final ProcessSpaces spaces;
    public final DmaBufCore core;
    public final GpuDriver driver;
    private final boolean closes;
    private final Map<String, OwnerDmaBufs> owners = new HashMap<>();
    private final List<AutoCloseable> processes = new ArrayList<>();

    public GpuMachine(Execution execution) {
        this(execution, GpuSettings.DEFAULT);
    }

    public GpuMachine(Execution execution, GpuSettings settings) {
        this(execution, settings, new SparseMemory(execution, 64), true);
    }

    /**
     * As many as are wanted on the same RAM, one after the other.
     *
     * @param memory is left open
     */
    GpuMachine(Execution execution, SparseMemory memory) {
        this(execution, GpuSettings.DEFAULT, memory, false);
    }

    private GpuMachine(
            Execution execution, GpuSettings settings, SparseMemory memory, boolean closes) {
        this.execution = execution;
        this.memory = memory;
        this.closes = closes;
        tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        root =
                new PcieRoot(
                        execution,
                        tracer,
                        memory,
                        List.of(unlisted()),
                        List.of(
                                new PortConfig("rp0", "00:01.0", 0, true, true, 0),
                                new PortConfig("sw0", "rp0", 4, true, true, 0)),
                        true,
                        false);
        iommu =
                new IommuUnit(
                        execution,
                        tracer,
                        memory,
                        root,
                        IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT));
        spaces = new ProcessSpaces(execution, memory);
        root.translation(iommu);
        core =
                new DmaBufCore(
                        execution,
                        tracer,
                        Profile.DEFAULT,
                        spaces,
                        new DmaBufSettings(true, SECOND / 20));
        core.setBus(root);
        core.setIommu(iommu);
        root.addListener(core.listener());
        var observer = core.observer();
        if (observer != null) {
            root.observer(observer);
        }
        root.addType(new GpuDeviceType(), "gpu", TypeVersion.of(1, 0, 0));
        driver =
                new GpuDriver(
                        execution, root, iommu, owner("gpu"), memory, spaces, tracer, settings);
        root.addDriver(driver, "gpu");
        root.addListener((FunctionListener) driver);
    }

    /** {@return a host bridge that forwards nothing between peers} */
    private static HostBridgeConfig unlisted() {
        HostBridgeConfig known = HostBridgeConfig.DEFAULT;
        return new HostBridgeConfig(
                known.name(),
                known.segment(),
                known.firstBus(),
                known.lastBus(),
                known.lowFirst(),
                known.lowLast(),
                known.highFirst(),
                known.highLast(),
                known.ioFirst(),
                known.ioLast(),
                known.ecamBase(),
                known.busOffset(),
                false,
                false,
                false);
    }

    public DmaBufs owner(String name) {
        return owners.computeIfAbsent(name, n -> new OwnerDmaBufs(n, core));
    }

    /** {@return what the test kit needs} */
    public DmaBufMachine machine() {
        return new DmaBufMachine(execution, this::owner, core);
    }

    /** Puts a card into a slot of the switch; it is driven at once. */
    public Card plug(String name, int slot, int vramMiB, int visibleMiB, boolean resizable) {
        root.addSlot(
                SlotConfig.below(
                        "sw0." + slot,
                        name,
                        "gpu",
                        Map.of(
                                "vramMiB",
                                vramMiB,
                                "visibleMiB",
                                visibleMiB,
                                "resizableBar",
                                resizable)));
        settle();
        return (Card) driver.gpu(name);
    }

    /** A card of 4 MiB, all of it behind the BAR. */
    public Card plug(String name, int slot) {
        return plug(name, slot, 4, 0, true);
    }

    /** A card that no driver takes, for importers. */
    public PcieFunction plugUndriven(String name, int slot) {
        root.addSlot(SlotConfig.below("sw0." + slot, name, "gpu", Map.of("vramMiB", 1)));
        settle();
        PcieFunction function = function(name);
        root.overrideDriver(function, "none");
        root.unbindDriver(function);
        function.enable(true, true);
        return function;
    }

    public void settle() {
        try {
            Assertions.assertThat(root.settle(100 * SECOND)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public PcieFunction function(String name) {
        return root.functions().stream()
                .filter(one -> one.slot().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** {@return a card that no driver has, as an importer's device} */
    public ImporterDevice device(String name) {
        PcieFunction function = function(name);
        var dma = iommu.device(function.address());
        dma.mask(64);
        return ImporterDevice.of(function, dma);
    }

    /** Lets peers below the switch reach each other directly. */
    public void direct() {
        acs(0);
    }

    /** Sends what peers below the switch want of each other up to a host bridge that refuses it. */
    public void unreachable() {
        acs(0x1D);
    }

    private void acs(int control) {
        root.functions().stream()
                .filter(f -> f.slot().startsWith("sw0."))
                .forEach(port -> {
                    int at = 0x100;
                    while ((port.readConfig(at, 4) & 0xFFFF) != 0x0D) {
                        at = (int) (port.readConfig(at, 4) >>> 20);
                    }
                    port.writeConfig(at + 6, 2, control);
                });
    }

    // ---- bytes

    /** {@return a process's view of all of a buffer} */
    public CpuMapping map(GpuBuffer buffer) {
        AddressSpace process = process();
        return buffer.mmap(process, 0, buffer.size(), RW, AddressSpace.MAP_SHARED, 0);
    }

    public AddressSpace process() {
        AddressSpace process = spaces.create("user");
        processes.add(process);
        return process;
    }

    /** {@return a word of a buffer, as a process sees it} */
    public int word(GpuBuffer buffer, long offset) {
        CpuMapping mapping = map(buffer);
        try {
            return (int) mapping.space().load(mapping.first() + offset, 4);
        } finally {
            mapping.space().unmap(mapping.first(), mapping.bytes());
        }
    }

    /** Waits for work. */
    public static void await(Fence fence) {
        fence.waitTimeout(false, Long.MAX_VALUE);
        fence.put();
    }

    /** Waits for work, which must not have failed. */
    public static void done(Fence fence) {
        fence.waitTimeout(false, Long.MAX_VALUE);
        Assertions.assertThat(fence.error()).isNull();
        fence.put();
    }

    public static void expect(Errno errno, ThrowingCallable call) {
        Assertions.assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> Assertions.assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    @Override
    public void close() {
        processes.forEach(one -> {
            try {
                one.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        driver.close();
        root.close();
        owners.values().forEach(OwnerDmaBufs::close);
        core.close();
        root.translationGone(iommu);
        iommu.close();
        spaces.close();
        if (closes) {
            memory.close();
        }
    }
}
