package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.MockExporter;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.testkit.dmabuf.MockImporter.Behaviour;
import org.peerlane.testkit.dmabuf.MockImporter.Kind;
import org.peerlane.testkit.dmabuf.Step;

/** End to end, between an exporter and importers that need nothing but the core (section 12). */
@DisplayName("Scenarios of the core")
class ScenarioTest {
    private static final int FEW = 200;

    private static final FenceOperations DEVICE =
            new FenceOperations() {
                @Override
                public String driverName() {
                    return "nvme0";
                }

                @Override
                public String timelineName(Fence fence) {
                    return "queue";
                }
            };

    private static Fence fence(DmaBufs dmabufs) {
        return dmabufs.fences().create(DEVICE, dmabufs.fences().allocateContexts(1), 1);
    }

    private static void add(DmaBuf buffer, Fence fence, FenceUsage usage) {
        buffer.reservation()
                .whileHeld(reservation -> {
                    reservation.reserveFences(1);
                    reservation.addFence(fence, usage);
                });
    }

    private static void sleep(Execution execution, long nanos) {
        try {
            execution.sleep(nanos);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static MockExporter exporter(DmaBufMachine machine) {
        return new MockExporter(machine.bundles().apply("gpu"), machine.execution(), 0x4000);
    }

    private static MockImporter importer(DmaBufMachine machine, MockExporter of) {
        MockImporter importer = machine.importer("nvme0", Kind.DYNAMIC);
        importer.attach(of.buffer());
        return importer;
    }

    // The cases of the fake GPU (DY-61).

    @Explore(schedules = FEW)
    @Rule("DY-61")
    @Rule("DY-62")
    void anInvalidationWithoutImportersReturnsAtOnce(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        long before = execution.nanoTime();
        exporter.invalidate();
        assertThat(execution.nanoTime() - before).isLessThan(Rig.SECOND);
        exporter.put();
        assertThat(machine.violations()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DY-61")
    void theReservationIsHeldOnceOnly(Execution execution) {
        MockExporter exporter = exporter(Mocks.machine(execution));
        exporter.holdReservation();
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(exporter::holdReservation)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        exporter.releaseReservation();
        exporter.holdReservation();
        exporter.releaseReservation();
        exporter.put();
    }

    @Explore(schedules = FEW)
    @Rule("DY-61")
    void aMapThatIsBlockedGoesOnWhenItIsLetGo(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = importer(machine, exporter);
        exporter.door(Step.MAP).shut();
        EmulatedThread reader =
                machine.start("reader", () -> importer.map(DmaDirection.FROM_DEVICE));
        exporter.door(Step.MAP).awaitSomebody();
        assertThat(exporter.buffer().reservation().isLocked()).isTrue();
        assertThat(importer.isMapped()).isFalse();
        exporter.door(Step.MAP).open();
        DmaBufMachine.join(reader);
        importer.begin(FenceUsage.READ);
        importer.end();
        importer.detach();
        exporter.put();
        assertThat(machine.violations()).isEmpty();
        assertThat(exporter.left()).isEmpty();
    }

    @Explore(schedules = 1_000)
    @Rule("DY-61")
    @Rule("DY-62")
    @Rule("DY-5")
    void twentyInvalidationsInARowUnderLoadLoseNothing(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = importer(machine, exporter);
        EmulatedThread load =
                machine.start(
                        "load",
                        () -> {
                            for (int i = 0; i < 5; i++) {
                                importer.map(DmaDirection.BIDIRECTIONAL);
                                importer.begin(FenceUsage.BOOKKEEP);
                                importer.end();
                            }
                        });
        for (int i = 0; i < 20; i++) {
            exporter.invalidate();
        }
        DmaBufMachine.join(load);
        assertThat(importer.told()).isEqualTo(20);
        importer.detach();
        exporter.put();
        assertThat(exporter.left()).isEmpty();
        assertThat(machine.violations()).isEmpty();
    }

    @Explore(schedules = 1_000)
    @Rule("dma-buf:T-16")
    @Rule("DY-61")
    @Rule("FE-62")
    void whoeverKeepsTheReservationAfterAnInvalidationHoldsUpNoIo(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = importer(machine, exporter);
        importer.behave(Behaviour.SLOW);
        DmaBufMapping mapping = importer.map(DmaDirection.BIDIRECTIONAL);
        importer.begin(FenceUsage.BOOKKEEP); // in flight
        long before = execution.nanoTime();
        exporter.invalidateAndHold();
        assertThat(execution.nanoTime() - before).isLessThan(Rig.SECOND);
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_BUSY);
        EmulatedThread completion = machine.start("completion", importer::end);
        DmaBufMachine.join(completion); // with the reservation held by this thread
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_IDLE);
        exporter.releaseReservation();
        importer.detach();
        exporter.put();
        assertThat(machine.violations()).isEmpty();
    }

    // Moves.

    @Explore(schedules = 1_000)
    @Rule("DY-13")
    @Rule("DB-35")
    void theNextMapFindsTheCopysFenceAndTheNewPlace(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = importer(machine, exporter);
        DmaBufMapping old = importer.map(DmaDirection.BIDIRECTIONAL);
        Fence copy = exporter.moveWithFence();
        DmaBufMapping fresh = importer.map(DmaDirection.BIDIRECTIONAL);
        assertThat(fresh.table().address(0)).isNotEqualTo(old.table().address(0));
        Reservation reservation = exporter.buffer().reservation();
        EmulatedThread engine = machine.start("engine", copy::signal);
        assertThat(reservation.waitTimeout(FenceUsage.KERNEL, false, Reservation.NO_LIMIT))
                .isPositive();
        importer.begin(FenceUsage.WRITE);
        importer.end();
        DmaBufMachine.join(engine);
        copy.put();
        importer.detach();
        exporter.put();
        assertThat(machine.violations()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DY-21")
    @Rule("DY-22")
    void aPinnedImporterWithACallbackIsToldOfARevokeAndOfNoMove(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = machine.importer("iommufd", Kind.REVOCABLE);
        importer.attach(exporter.buffer());
        importer.behave(Behaviour.PROMPT);
        importer.map(DmaDirection.BIDIRECTIONAL);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(exporter::move)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        assertThat(importer.told()).isZero();
        exporter.revoke(false);
        assertThat(importer.told()).isEqualTo(1);
        assertThat(importer.isMapped()).isFalse();
        exporter.unrevoke(); // nobody maps for it
        assertThat(importer.isMapped()).isFalse();
        importer.detach();
        exporter.put();
        assertThat(machine.violations()).isEmpty();
    }

    // Life.

    @Explore(schedules = 1_000)
    @Rule("DB-7")
    @Rule("CK-30")
    void aDescriptorMayBeClosedBeforeItsInstallationReturns(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        DmaBufs gpu = machine.bundles().apply("gpu");
        MockExporter exporter = new MockExporter(gpu, execution, 0x4000);
        FileTable files = new FileTable("process", 4);
        EmulatedThread hostile =
                machine.start(
                        "hostile",
                        () -> {
                            for (int i = 0; i < 50 && exporter.count(Step.RELEASE) == 0; i++) {
                                if (files.count() > 0) {
                                    files.close(0);
                                }
                                sleep(execution, 1_000);
                            }
                        });
        int fd = gpu.fd(files, exporter.buffer(), 0); // the reference goes with it
        assertThat(fd).isZero();
        DmaBufMachine.join(hostile);
        assertThat(exporter.count(Step.RELEASE)).isEqualTo(1);
        assertThat(machine.buffers()).isEmpty();
        assertThat(machine.violations()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DB-13")
    void aBufferOutlivesItsExportersHandle(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = importer(machine, exporter);
        exporter.put(); // the handle is closed
        importer.map(DmaDirection.BIDIRECTIONAL);
        exporter.move();
        importer.map(DmaDirection.BIDIRECTIONAL);
        assertThat(exporter.count(Step.RELEASE)).isZero();
        importer.detach();
        assertThat(exporter.count(Step.RELEASE)).isEqualTo(1);
        assertThat(machine.violations()).isEmpty();
    }

    // Fences.

    @Explore(schedules = FEW)
    @Rule("FE-42")
    void aFenceIsKnownToAllAsSoonAsItIsAdded(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        DmaBufs nvme = machine.bundles().apply("nvme");
        DmaBuf buffer = exporter.buffer();
        Fence fence = fence(nvme);
        exporter.holdReservation();
        buffer.reservation().reserveFences(1);
        assertThat(buffer.reservation().testSignaled(FenceUsage.BOOKKEEP)).isTrue();
        buffer.reservation().addFence(fence, FenceUsage.READ);
        boolean[] seen = new boolean[1];
        EmulatedThread other =
                machine.start(
                        "other",
                        () -> seen[0] = !buffer.reservation().testSignaled(FenceUsage.READ));
        DmaBufMachine.join(other); // while the reservation is held
        assertThat(seen[0]).isTrue();
        exporter.releaseReservation();
        fence.signal();
        fence.put();
        exporter.put();
    }

    @Explore(schedules = FEW)
    @Rule("dma-buf:T-34")
    @Rule("CK-40")
    void aCallbackThatTakesASleepingLockIsReported(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        DmaBufs nvme = machine.bundles().apply("nvme");
        NamedLock mutex = execution.lock("nvme.queue");
        Fence fence = fence(nvme);
        fence.addCallback(
                new FenceCallback() {
                    @Override
                    public void signaled(Fence its) {
                        nvme.fences().mightSleep("nvme.queue");
                        mutex.lock();
                        mutex.unlock();
                    }
                });
        fence.signal();
        fence.put();
        assertThat(machine.broken()).containsExactly("CK-40");
        assertThat(machine.violations().getFirst()).contains("nvme");
    }

    @Explore(schedules = FEW)
    @Rule("dma-buf:T-35")
    @Rule("FE-40")
    void aFenceWhoseIssuerIsKilledSignalsWithAnErrorAndItsWaitersReturn(Execution execution)
            throws Exception {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        DmaBufs nvme = machine.bundles().apply("nvme");
        Fence hang = fence(nvme);
        add(exporter.buffer(), hang, FenceUsage.WRITE);
        long[] waited = new long[1];
        EmulatedThread waiter =
                machine.start(
                        "waiter",
                        () ->
                                waited[0] =
                                        exporter.buffer()
                                                .reservation()
                                                .waitTimeout(
                                                        FenceUsage.READ,
                                                        false,
                                                        Reservation.NO_LIMIT));
        sleep(execution, 11 * Rig.SECOND);
        assertThat(machine.broken()).containsExactly("CK-31"); // 10 s without a signal
        ((AutoCloseable) nvme).close(); // its bundle is stopped
        DmaBufMachine.join(waiter);
        assertThat(waited[0]).isPositive();
        assertThat(hang.status()).isNegative();
        hang.put();
        exporter.put();
    }

    @Explore(schedules = FEW)
    @Rule("RV-11")
    void whoGetsNoSlotWaitsForTheWorkInstead(Execution execution) {
        DmaBufMachine machine = Mocks.machine(execution);
        MockExporter exporter = exporter(machine);
        MockImporter importer = importer(machine, exporter);
        importer.behave(Behaviour.WITHOUT_SLOT);
        importer.map(DmaDirection.BIDIRECTIONAL);
        try (var _ =
                execution
                        .checkpoints()
                        .arm(
                                "dmabuf.resv.reserve",
                                () -> {
                                    throw new ErrnoException(Errno.ENOMEM, "injected");
                                })) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> importer.begin(FenceUsage.READ)) // never reached the device
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
            exporter.invalidate();
        }
        assertThat(machine.violations()).isEmpty();
        importer.detach();
        exporter.put();
    }
}
