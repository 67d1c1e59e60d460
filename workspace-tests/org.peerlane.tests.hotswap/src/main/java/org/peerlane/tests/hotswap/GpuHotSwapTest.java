package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.felix.service.command.CommandProcessor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.Executions;
import org.peerlane.exec.api.Work;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.Gpus;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Machine;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.PhysicalMemory;

/** The GPUs and their driver are stopped, exchanged and pulled out while one uses the other's. */
@DisplayName("Hot swap of the GPUs")
@EnabledIf(value = "isGpuMachine", disabledReason = "another machine's launch file")
class GpuHotSwapTest {
    private static final String DRIVER = "org.peerlane.exporter.gpu";
    private static final String DEVICE = "org.peerlane.device.gpu";
    private static final long SETTLE_NANOS = 10_000_000_000L;
    private static final int ROUNDS = 16;

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000, filter = "(" + Machine.READY + "=true)")
    Machine machine;

    @InjectService(timeout = 20_000)
    PcieBus bus;

    @InjectService(timeout = 20_000)
    PhysicalMemory memory;

    @InjectService(timeout = 20_000)
    AddressSpaces spaces;

    @InjectService(timeout = 20_000)
    DmaBufDebug debug;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    @InjectService(timeout = 20_000)
    Executions executions;

    private List<GpuTraffic> traffic = List.of();

    static boolean isGpuMachine() {
        return "gpu"
                .equals(
                        FrameworkUtil.getBundle(GpuHotSwapTest.class)
                                .getBundleContext()
                                .getProperty("peerlane.board"));
    }

    private Bundle bundle(String name) {
        return new Framework(context).bundle(name);
    }

    private <T> @Nullable T find(Class<T> type) {
        ServiceReference<T> reference = context.getServiceReference(type);
        return reference == null ? null : context.getService(reference);
    }

    private Gpus gpus() throws Exception {
        Await.until(
                "two cards",
                () -> {
                    Gpus now = find(Gpus.class);
                    return now != null && now.gpus().size() == 2;
                });
        return Objects.requireNonNull(find(Gpus.class));
    }

    private String run(String command) throws Exception {
        return new Shell(processor).run(command);
    }

    private List<Work> work() {
        return executions.work().stream().filter(one -> one.owner().equals(DRIVER)).toList();
    }

    @BeforeEach
    void bothAreDriven() throws Exception {
        gpus();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        stopTraffic();
        bundle(DEVICE).start();
        bundle(DRIVER).start();
        for (var card : gpus().gpus()) {
            Await.until(
                    "the memory of " + card.name() + " is free",
                    () -> card.buffers().isEmpty() && used(card.name(), Placement.GTT) == 0);
        }
        Await.until("all buffers are gone", () -> debug.buffers().isEmpty());
    }

    private long used(String card, Placement placement) throws Exception {
        return gpus().gpu(card).memory().stream()
                .filter(one -> one.placement() == placement)
                .findFirst()
                .orElseThrow()
                .used();
    }

    private void startTraffic() throws Exception {
        traffic =
                List.of(
                        new GpuTraffic(context, spaces, "gpu0", "gpu1"),
                        new GpuTraffic(context, spaces, "gpu1", "gpu0"));
        awaitCopies("at the start");
    }

    private void awaitCopies(String when) throws Exception {
        for (GpuTraffic one : traffic) {
            int before = one.copied();
            Await.until(
                    "a copy " + when, () -> one.copied() > before + 1 || !one.wrong().isEmpty());
            assertThat(one.wrong()).as(when).isEmpty();
        }
    }

    private void stopTraffic() throws Exception {
        for (GpuTraffic one : traffic) {
            one.stop();
        }
    }

    @Test
    void sixteenRoundsUnderTrafficLoseNothingAndLeaveNothing() throws Exception {
        startTraffic();
        stopTraffic(); // whatever is made once is there
        Await.until("pages are back", () -> debug.buffers().isEmpty());
        long free = settledPages();
        long vram = used("gpu0", Placement.VRAM);
        List<Work> before = work();
        long violations = debug.violationCount();
        byte[] driver = Files.readAllBytes(Repack.file(bundle(DRIVER)));
        byte[] device = Files.readAllBytes(Repack.file(bundle(DEVICE)));
        startTraffic();
        for (int round = 0; round < ROUNDS; round++) {
            switch (round % 4) {
                case 0 -> {
                    run("gpu:alloc gpu0 0x10000"); // the shell's goes, too
                    bundle(DRIVER).stop();
                    assertThat(work()).as("left behind in round %d", round).isEmpty();
                    Await.until("all have let go", () -> debug.buffers().isEmpty());
                    bundle(DRIVER).start();
                }
                case 1 -> update(DRIVER, driver, round);
                case 2 -> {
                    bundle(DEVICE).stop();
                    assertThat(find(Gpus.class)).isNotNull();
                    assertThat(Objects.requireNonNull(find(Gpus.class)).gpus()).isEmpty();
                    bundle(DEVICE).start();
                }
                default -> update(DEVICE, device, round);
            }
            gpus();
            awaitCopies("after round " + round);
        }
        stopTraffic();
        assertThat(traffic).allSatisfy(one -> assertThat(one.wrong()).isEmpty());
        assertThat(traffic).as("somebody was in the middle").anyMatch(one -> one.refused() > 0);
        assertThat(debug.violationCount()).as(debug.violations().toString()).isEqualTo(violations);
        assertThat(debug.departures()).flatExtracting(DepartureReport::unfinished).isEmpty();
        Await.until("pages are back", () -> memory.pages().freePages() == free);
        assertThat(used("gpu0", Placement.VRAM)).isEqualTo(vram);
        assertThat(work()).hasSameSizeAs(before);
    }

    private long settledPages() throws Exception {
        long[] last = {0};
        Await.until(
                "the number of free pages stays",
                () -> {
                    long now = memory.pages().freePages();
                    boolean same = now == last[0];
                    last[0] = now;
                    return same;
                });
        return last[0];
    }

    private void update(String name, byte[] jar, int round) throws Exception {
        bundle(name)
                .update(
                        new ByteArrayInputStream(
                                round < ROUNDS / 2
                                        ? Repack.withVersion(jar, "9.0." + round)
                                        : jar));
    }

    /** A card that is pulled out by surprise, while the other one has its memory mapped. */
    @Test
    void oneCardIsPulledOutAgainAndAgain() throws Exception {
        startTraffic();
        for (int round = 0; round < ROUNDS; round++) {
            String victim = "gpu" + round % 2;
            bus.pull(victim);
            assertThat(bus.settle(SETTLE_NANOS)).isTrue();
            assertThat(gpus(1)).noneMatch(one -> one.equals(victim));
            bus.plug(victim);
            assertThat(bus.settle(SETTLE_NANOS)).isTrue();
            gpus();
            awaitCopies("after " + victim + " came back in round " + round);
        }
        stopTraffic();
        assertThat(debug.departures()).flatExtracting(DepartureReport::unfinished).isEmpty();
        assertThat(debug.quarantined()).isEmpty();
    }

    private List<String> gpus(int expected) {
        List<String> names =
                Objects.requireNonNull(find(Gpus.class)).gpus().stream()
                        .map(one -> one.name())
                        .toList();
        assertThat(names).hasSize(expected);
        return names;
    }

    /** This bundle imports, by a callback, what the driver exports. */
    @Test
    void anImporterOfAnotherBundleIsToldAndRefused() throws Exception {
        DmaBufs dmabufs = Objects.requireNonNull(find(DmaBufs.class));
        for (int round = 0; round < ROUNDS; round++) {
            var card = gpus().gpu("gpu0");
            var buffer = card.allocate(GpuAllocation.of(0x8000));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            AtomicInteger told = new AtomicInteger();
            DmaBufMapping[] mapping = new DmaBufMapping[1];
            Attachment attachment =
                    dmabufs.dynamicAttach(
                            shared,
                            importer(),
                            new AttachOperations(
                                    true,
                                    mine -> {
                                        told.incrementAndGet();
                                        if (mapping[0] != null) {
                                            mine.unmap(mapping[0], DmaDirection.BIDIRECTIONAL);
                                            mapping[0] = null;
                                        }
                                    }),
                            this);
            shared.reservation()
                    .whileHeld(_ -> mapping[0] = attachment.map(DmaDirection.BIDIRECTIONAL));
            if (round % 2 == 0) {
                bundle(DRIVER).stop();
            } else {
                bundle(DEVICE).stop();
            }
            assertThat(told).as("round %d", round).hasPositiveValue();
            assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
            assertThatThrownBy(() ->
                            shared.reservation()
                                    .whileHeld(_ -> attachment.map(DmaDirection.BIDIRECTIONAL)))
                    .hasMessageContaining("ENODEV");
            dmabufs.detach(shared, attachment);
            shared.put();
            assertThat(debug.buffers()).isEmpty();
            bundle(DRIVER).start();
            bundle(DEVICE).start();
        }
    }

    private ImporterDevice importer() {
        PcieFunction function =
                bus.functions().stream()
                        .filter(one -> one.slot().equals("gpu1"))
                        .findFirst()
                        .orElseThrow();
        DmaDevice dma = Objects.requireNonNull(find(DmaApi.class)).device(function.address());
        dma.mask(64);
        return ImporterDevice.of(function, dma);
    }

    @Test
    void anUpdateLeavesNoClassesBehind() throws Exception {
        inUse();
        DmaBuf held = gpus().gpu("gpu0").allocate(GpuAllocation.of(4096)).export(2);
        WeakReference<ClassLoader> code = Framework.code(bundle(DRIVER));
        try {
            new Framework(context).update(bundle(DRIVER));
            gpus();
            Framework.isCollected(code);
        } finally {
            held.put();
        }
    }

    @Test
    void anUninstalledDriverLeavesNoClassesBehind() throws Exception {
        inUse();
        WeakReference<ClassLoader> code = Framework.code(bundle(DRIVER));
        Bundle leaving = bundle(DRIVER);
        leaving.uninstall();
        try {
            new Framework(context).refresh(leaving);
            Framework.isCollected(code);
        } finally {
            FrameworkUtil.getBundle(
                            GpuHotSwapTest.class) // what context installs goes with the test
                    .getBundleContext()
                    .installBundle(leaving.getLocation())
                    .start();
        }
        gpus();
    }

    /** The shell has buffers, one of them a peer's, mapped. */
    private void inUse() throws Exception {
        String from = name(run("gpu:alloc gpu0 0x4000"));
        String to = name(run("gpu:alloc gpu1 0x4000"));
        run("gpu:copy %s %s".formatted(name(run("gpu:import gpu1 " + from)), to));
        run("gpu:peek %s 0".formatted(to));
    }

    private static String name(String answer) {
        return answer.substring(0, answer.indexOf(','));
    }
}
