package org.peerlane.exporter.vfio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.DmaBufSettings;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.trace.api.Tracer;
import org.peerlane.vfio.api.Vfio;
import org.peerlane.vfio.api.VfioDevice;
import org.peerlane.vfio.api.VfioFile;

/**
 * A machine with an IOMMU and two root ports, each with a switch of two ports; every function is
 * bound to VFIO as soon as it is plugged in.
 */
final class Passthrough implements AutoCloseable {
    static final int COMMAND = 0x04;
    static final int MEMORY = 2;
    static final long SECOND = 1_000_000_000L;
    static final long PAGE = 4096;

    private static final List<PortConfig> PORTS =
            List.of(
                    new PortConfig("rp0", "00:01.0", 0, true, true, 0),
                    new PortConfig("sw0", "rp0", 3, true, true, 0));

    final LiveExecution execution = new LiveExecution("vfio");
    final SparseMemory memory = new SparseMemory(execution, 8);
    final Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
    final PcieRoot root =
            new PcieRoot(
                    execution,
                    tracer,
                    memory,
                    List.of(HostBridgeConfig.DEFAULT),
                    PORTS,
                    true,
                    false);
    final IommuUnit iommu =
            new IommuUnit(
                    execution,
                    tracer,
                    memory,
                    root,
                    IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT));
    final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
    final DmaBufCore core;
    final VfioPci vfio;
    final FileTable files = new FileTable("vmm");
    final Map<String, Silicon> silicon = Collections.synchronizedMap(new HashMap<>());
    final Map<String, DeviceSlot> slots = Collections.synchronizedMap(new HashMap<>());
    private final Map<String, OwnerDmaBufs> owners = new HashMap<>();
    private int types;

    Passthrough() {
        this("7.3");
    }

    Passthrough(String profile) {
        Profile emulated = Profile.parse(profile);
        root.translation(iommu);
        core =
                new DmaBufCore(
                        execution, tracer, emulated, spaces, new DmaBufSettings(true, SECOND / 20));
        core.setBus(root);
        core.setIommu(iommu);
        root.addListener(core.listener());
        var observer = core.observer();
        if (observer != null) {
            root.observer(observer);
        }
        vfio = new VfioPci(execution, root, owner("vfio"), spaces, emulated);
        root.addDriver(vfio, Vfio.DRIVER);
    }

    DmaBufs owner(String name) {
        return owners.computeIfAbsent(name, n -> new OwnerDmaBufs(n, core));
    }

    /** {@return what a contract suite needs} */
    DmaBufMachine machine() {
        return new DmaBufMachine(execution, this::owner, core);
    }

    /** A function's innards: registers that keep what is written, and what happened to it. */
    static final class Silicon implements DeviceModel {
        private final FunctionLayout layout;
        final List<ResetKind> resets = Collections.synchronizedList(new ArrayList<>());

        /** Looks around while the silicon is being reset. */
        volatile Runnable onReset = () -> {};

        private final Map<Long, Long> registers = Collections.synchronizedMap(new HashMap<>());

        Silicon(FunctionLayout layout) {
            this.layout = layout;
        }

        @Override
        public FunctionLayout layout() {
            return layout;
        }

        @Override
        public long read(int bar, long offset, int bytes) {
            return registers.getOrDefault((long) bar << 32 | offset, 0L);
        }

        @Override
        public void write(int bar, long offset, int bytes, long value) {
            registers.put((long) bar << 32 | offset, value);
        }

        @Override
        public void reset(ResetKind kind) {
            resets.add(kind);
            onReset.run();
            registers.clear();
        }

        @Override
        public void close() {}
    }

    /** {@return BAR 0 registers, BAR 2 memory of 64 KiB, BAR 4 with the table of 4 vectors} */
    static FunctionLayout card() {
        return FunctionLayout.of(0x1234, 0x0001, 0x00FF00)
                .interruptPin(1)
                .bar(BarLayout.registers(0, 4096, false, false))
                .bar(
                        new BarLayout(
                                2, 0x1_0000, true, true, Arena.ofAuto().allocate(0x1_0000, 4096)))
                .bar(BarLayout.registers(4, 0x4000, false, false))
                .with(new CapabilityLayout.PowerManagement(false, false, false, 0))
                .with(new CapabilityLayout.Msi(4, true, true))
                .with(CapabilityLayout.MsiX.in(4, 4))
                .with(CapabilityLayout.Express.plain())
                .with(new CapabilityLayout.Aer())
                .build();
    }

    /** {@return a card without a reset of its own} */
    static FunctionLayout stubborn() {
        return FunctionLayout.of(0x1234, 0x0002, 0x00FF00)
                .bar(
                        new BarLayout(
                                0, 0x1_0000, false, false, Arena.ofAuto().allocate(0x1_0000, 4096)))
                .build();
    }

    /** Plugs a function in, and binds it. */
    PcieFunction plug(String name, String port, int number, FunctionLayout layout) {
        PcieFunction function = plugUnbound(name, port, number, layout);
        bind(function);
        return function;
    }

    void bind(PcieFunction function) {
        root.overrideDriver(function, Vfio.DRIVER);
        root.bindDriver(function);
    }

    PcieFunction plugUnbound(String name, String port, int number, FunctionLayout layout) {
        return plugUnbound(
                name,
                port,
                number,
                slot -> {
                    Silicon made = new Silicon(layout);
                    silicon.put(slot.name(), made);
                    slots.put(slot.name(), slot);
                    return made;
                });
    }

    PcieFunction plugUnbound(String name, String port, DeviceModel model) {
        return plugUnbound(name, port, 0, slot -> model);
    }

    private PcieFunction plugUnbound(String name, String port, int number, DeviceType made) {
        String type = "type" + types++;
        root.addType(made, type, TypeVersion.of(1, 0, 0));
        root.addSlot(
                port.contains(":")
                        ? new SlotConfig(name, type, port, Map.of())
                        : new SlotConfig(name, type, "", port, number, Map.of()));
        try {
            Assertions.assertThat(root.settle(10 * SECOND)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return function(name);
    }

    PcieFunction function(String name) {
        return root.functions().stream()
                .filter(one -> one.slot().equals(name))
                .findFirst()
                .orElseThrow();
    }

    VfioDevice device(String name) {
        return vfio.device(function(name));
    }

    VfioFile open(String name) {
        return device(name).open();
    }

    /** {@return an importer with a device of its own, which is below another port} */
    MockImporter importer(String name, MockImporter.Kind kind) {
        PcieFunction function =
                root.functions().stream()
                        .filter(one -> one.slot().equals(name))
                        .findFirst()
                        .orElseGet(() -> plugUnbound(name, "sw0.2", 0, card()));
        function.enable(true, true);
        DmaDevice dma = iommu.device(function.address());
        dma.mask(64);
        return machine().importer(ImporterDevice.of(function, dma), kind);
    }

    // ---- config space and BARs of a file

    static long read(VfioFile file, int region, long offset, int bytes) {
        MemorySegment value = MemorySegment.ofArray(new byte[8]);
        Assertions.assertThat(file.pread(value.asSlice(0, bytes), VfioFile.offset(region) + offset))
                .isEqualTo(bytes);
        return value.get(LITTLE, 0);
    }

    static void write(VfioFile file, int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new byte[8]);
        from.set(LITTLE, 0, value);
        Assertions.assertThat(file.pwrite(from.asSlice(0, bytes), VfioFile.offset(region) + offset))
                .isEqualTo(bytes);
    }

    private static final ValueLayout.OfLong LITTLE =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static long config(VfioFile file, int offset, int bytes) {
        return read(file, VfioFile.CONFIG, offset, bytes);
    }

    static void config(VfioFile file, int offset, int bytes, long value) {
        write(file, VfioFile.CONFIG, offset, bytes, value);
    }

    static void memory(VfioFile file, boolean on) {
        long command = config(file, COMMAND, 2);
        config(file, COMMAND, 2, on ? command | MEMORY : command & ~MEMORY);
    }

    /** {@return where a capability is that user space sees, or 0} */
    static int capability(VfioFile file, int id) {
        int at = (int) config(file, 0x34, 1);
        while (at != 0 && config(file, at, 1) != id) {
            at = (int) config(file, at + 1, 1);
        }
        return at;
    }

    static void expect(Errno errno, ThrowingCallable call) {
        Assertions.assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> Assertions.assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    static @Nullable Errno errno(ThrowingCallable call) {
        try {
            call.call();
            return null;
        } catch (ErrnoException e) {
            return e.errno();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        files.closeAll();
        vfio.close();
        root.close();
        owners.values().forEach(OwnerDmaBufs::close);
        core.close();
        root.translationGone(iommu);
        iommu.close();
        spaces.close();
        memory.close();
        execution.close();
    }
}
