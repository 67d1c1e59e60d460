package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.device.gpu.GpuDeviceType;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.DmaBufSettings;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exporter.gpu.GpuDriver;
import org.peerlane.exporter.gpu.GpuSettings;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.GpuMemory;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.space.ProcessSpaces;

/**
 * A {@link Rig} with an IOMMU, a switch of two slots, and the driver of GPUs. Cards have 1 MiB of
 * VRAM. {@link #close} fails if a buffer is left, memory is, or a rule was broken.
 */
final class GpuRig implements AutoCloseable {
    static final int PAGE = 4096;

    /** Half of a card's VRAM; a second one finds no room, since the driver has a page. */
    static final long HALF = 1 << 19;

    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final long DEPARTURE_NANOS = Rig.SECOND / 20;
    private static final int TIMEOUT_MILLIS = 100;

    final Execution execution;
    final Rig rig;
    final ProcessSpaces spaces;
    final DmaBufCore core;
    final OwnerDmaBufs owner;
    final OwnerDmaBufs nvme;
    final GpuDriver driver;

    /** One process, for whoever looks at bytes. */
    final AddressSpace process;

    private final List<EmulatedThread> threads = new ArrayList<>();
    private boolean driverLeft;

    GpuRig(Execution execution) {
        this(execution, new GpuSettings(0, TIMEOUT_MILLIS, true));
    }

    GpuRig(Execution execution, GpuSettings settings) {
        this.execution = execution;
        rig = new Rig(execution, Rig.SWITCH, true);
        rig.root.addType(new GpuDeviceType(), "gpu", TypeVersion.of(1, 0, 0));
        spaces = new ProcessSpaces(execution, rig.memory);
        process = spaces.create("user");
        core =
                new DmaBufCore(
                        execution,
                        rig.tracer,
                        Profile.DEFAULT,
                        spaces,
                        new DmaBufSettings(true, DEPARTURE_NANOS));
        core.setBus(rig.root);
        core.setIommu(rig.iommu());
        rig.root.addListener(core.listener());
        var observer = core.observer();
        if (observer != null) {
            rig.root.observer(observer);
        }
        owner = new OwnerDmaBufs("gpu", core);
        nvme = new OwnerDmaBufs("nvme", core);
        driver =
                new GpuDriver(
                        execution,
                        rig.root,
                        rig.iommu(),
                        owner,
                        rig.memory,
                        spaces,
                        rig.tracer,
                        settings);
        rig.root.addDriver(driver, "gpu");
        rig.root.addListener((FunctionListener) driver);
    }

    /** Puts a card into a slot of the switch; peers there reach each other directly. */
    Gpu plug(String name, int slot) {
        return plug(name, slot, Map.of("vramMiB", 1));
    }

    Gpu plug(String name, int slot, Map<String, Object> options) {
        rig.root.addSlot(SlotConfig.below("sw0." + slot, name, "gpu", options));
        rig.settle();
        Registers.acs(rig.function("sw0." + slot), 0);
        return driver.gpu(name);
    }

    /** Puts a card without a driver into a slot of the switch, for importers. */
    Card plugPeer(int slot) {
        Card card = rig.plug("nvme0", "sw0." + slot);
        Registers.acs(rig.function("sw0." + slot), 0);
        return card;
    }

    /** {@return the card of {@link #plugPeer}, as a device} */
    ImporterDevice peer() {
        PcieFunction function = rig.function("nvme0");
        DmaDevice dma = rig.iommu().device(function.address());
        dma.mask(64);
        return ImporterDevice.of(function, dma);
    }

    /** {@return where a peer may read in a card's BAR: the driver's page, in no buffer} */
    static long elsewhere(Gpu gpu) {
        return gpu.function().bar(2).last().value() + 1 - PAGE;
    }

    /** Starts a thread; {@link #join} waits for all of them. */
    void thread(String name, Runnable body) {
        threads.add(rig.thread(name, body));
    }

    void join() {
        threads.forEach(Rig::join);
        threads.clear();
    }

    // ---- bytes

    CpuMapping map(GpuBuffer buffer) {
        return buffer.mmap(process, 0, buffer.size(), RW, AddressSpace.MAP_SHARED, 0);
    }

    void unmap(CpuMapping mapping) {
        process.unmap(mapping.first(), mapping.bytes());
    }

    /** {@return a word of a buffer, as a process sees it} */
    int word(GpuBuffer buffer, long offset) {
        CpuMapping mapping = map(buffer);
        try {
            return (int) process.load(mapping.first() + offset, 4);
        } finally {
            unmap(mapping);
        }
    }

    /** {@return bytes of a buffer, as a process sees them; none if it does not reach them} */
    byte[] bytes(GpuBuffer buffer, int from, int bytes) {
        CpuMapping mapping = map(buffer);
        ByteBuffer seen = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        try {
            for (int at = from; at < from + bytes; at += 4) {
                seen.putInt((int) process.load(mapping.first() + at, 4));
            }
            return seen.array();
        } catch (BusError e) {
            return new byte[0];
        } finally {
            unmap(mapping);
        }
    }

    /** {@return whether a process could store; it cannot while what it stores to is cut off} */
    boolean store(CpuMapping mapping, long offset, int value) {
        try {
            process.store(mapping.first() + offset, 4, value);
            return true;
        } catch (BusError e) {
            return false;
        }
    }

    // ---- work

    /** Waits for work. {@return its error, or null} */
    static @Nullable Errno end(Fence fence) {
        fence.waitTimeout(false, Reservation.NO_LIMIT);
        Errno error = fence.error();
        fence.put();
        return error;
    }

    /** Waits for work, which must not have failed. */
    static void done(Fence fence) {
        assertThat(end(fence)).isNull();
    }

    static void await(Doorbell bell) {
        try {
            bell.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static void sleep(Execution execution, long nanos) {
        try {
            execution.sleep(nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until nothing uses a buffer. */
    static void idle(GpuBuffer buffer) {
        buffer.reservation().waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
    }

    /** Does something that may be refused for these reasons. {@return whether it was done} */
    static boolean unless(List<Errno> refused, Runnable action) {
        try {
            action.run();
            return true;
        } catch (ErrnoException e) {
            assertThat(e.errno()).as(e.getMessage()).isIn(refused);
            return false;
        }
    }

    /** Waits until what these cards do behind what was let go of is done; live only. */
    void settle(Gpu... gpus) {
        long until = execution.nanoTime() + 10 * Rig.SECOND;
        while (Arrays.stream(gpus).anyMatch(gpu -> !isIdle(gpu)) || !core.buffers().isEmpty()) {
            assertThat(execution.nanoTime()).as("until all is given back").isLessThan(until);
            sleep(execution, Rig.SECOND / 100_000);
        }
    }

    private static boolean isIdle(Gpu gpu) {
        return gpu.memory().stream().mapToLong(GpuMemory::used).sum() == PAGE;
    }

    List<String> broken() {
        return core.violations().stream().map(one -> one.rule() + ": " + one.toString()).toList();
    }

    /** The driver goes. */
    void leave() {
        if (!driverLeft) {
            driverLeft = true;
            driver.close();
        }
    }

    @Override
    public void close() {
        join();
        try {
            process.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        leave();
        assertThat(core.buffers()).isEmpty();
        assertThat(broken()).isEmpty();
        rig.empty();
        owner.close();
        nvme.close();
        core.close();
        spaces.close();
        rig.close();
    }
}
