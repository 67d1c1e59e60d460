package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.exec.api.Executions;
import org.peerlane.exec.api.Work;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Machine;
import org.peerlane.memory.api.PhysicalMemory;

/** Silicon that is pulled out, put back and exchanged while copies run through it. */
@DisplayName("Hot swap of the edu device")
class DeviceHotSwapTest {
    private static final String DEVICE = "org.peerlane.device.edu";
    private static final String DRIVER = "org.peerlane.driver.edu";
    private static final int ROUNDS = 16;
    private static final int COPIERS = 2;

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    Machine machine;

    @InjectService(timeout = 20_000)
    PcieBus bus;

    @InjectService(timeout = 20_000)
    PhysicalMemory memory;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    @InjectService(timeout = 20_000)
    Executions executions;

    @TempDir Path folder;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger copied = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final List<Throwable> wrong = new ArrayList<>();
    private final List<Thread> copiers = new ArrayList<>();
    private long freePages;
    private List<Work> workBefore = List.of();

    @BeforeEach
    void startCopying() throws Exception {
        assertThat(bus.settle(10_000_000_000L)).isTrue();
        freePages = memory.pages().freePages();
        workBefore = engines();
        assertThat(workBefore).as("the engine of edu0").hasSize(1);
        byte[] content = new byte[3_000_001];
        new Random(7).nextBytes(content);
        Path file = Files.write(folder.resolve("traffic"), content);
        for (int i = 0; i < COPIERS; i++) {
            copiers.add(Thread.ofVirtual().name("copier-" + i).start(() -> copyUntilStopped(file)));
        }
        Await.until("a first copy", () -> copied.get() > 0);
    }

    @AfterEach
    void stopCopying() throws Exception {
        stop.set(true);
        for (Thread copier : copiers) {
            copier.join();
        }
    }

    @Test
    void sixteenRoundsLoseNothingAndLeaveNothing() throws Exception {
        Bundle device = bundle();
        byte[] first = Files.readAllBytes(Repack.file(device));
        for (int round = 0; round < ROUNDS; round++) {
            switch (round % 3) {
                case 0 -> {
                    device.stop();
                    assertThat(bus.functions()).as("round %d", round).isEmpty();
                    assertThat(engines()).as("left behind in round %d", round).isEmpty();
                    device.start();
                }
                case 1 ->
                        device.update(
                                new ByteArrayInputStream(
                                        Repack.withVersion(first, "9.0." + round)));
                default -> device.update(new ByteArrayInputStream(first));
            }
            int before = copied.get();
            Await.until("a copy after round " + round, () -> copied.get() > before);
        }
        stopCopying();

        assertThat(wrong).isEmpty();
        assertThat(copied.get() + refused.get()).isEqualTo(begun.get());
        assertThat(memory.pages().freePages()).isEqualTo(freePages);
        assertThat(bus.functions()).hasSize(1);
        assertThat(engines()).as("one engine per device present").isEqualTo(workBefore);
    }

    @Test
    void twoVersionsSideBySideTakeOverWhenTheOtherLeaves() throws Exception {
        Bundle device = bundle();
        byte[] jar = Repack.withVersion(Files.readAllBytes(Repack.file(device)), "9.9.9");
        Bundle second = context.installBundle("memory:second", new ByteArrayInputStream(jar));
        try {
            second.start();
            device.stop();
            assertThat(bus.settle(10_000_000_000L)).isTrue();
            assertThat(bus.functions()).hasSize(1);
            int before = copied.get();
            Await.until("a copy through the second version", () -> copied.get() > before);
        } finally {
            device.start();
            second.uninstall();
        }
        int before = copied.get();
        Await.until("a copy through the first version", () -> copied.get() > before);
        stopCopying();
        assertThat(wrong).isEmpty();
        assertThat(memory.pages().freePages()).isEqualTo(freePages);
    }

    @Test
    void aStoppedDriverGivesTheFunctionBack() throws Exception {
        Bundle driver = bundle(DRIVER);
        driver.stop();
        try {
            assertThat(work(DRIVER)).as("left behind").isEmpty();
            assertThat(bus.functions().getFirst().readConfig(4, 2) & 4).as("bus master").isZero();
            Await.until(
                    "the pages of the copies are back",
                    () -> memory.pages().freePages() == freePages);
        } finally {
            driver.start();
        }
        int before = copied.get();
        Await.until("a copy with the driver back", () -> copied.get() > before);
        stopCopying();
        assertThat(wrong).isEmpty();
    }

    private void copyUntilStopped(Path file) {
        Shell shell = new Shell(processor);
        while (!stop.get()) {
            begun.incrementAndGet();
            try {
                assertThat(shell.run("edu:copy '" + file + "'")).contains("equal");
                copied.incrementAndGet();
            } catch (Exception | AssertionError e) {
                if (isAbsence(e)) {
                    refused.incrementAndGet();
                } else {
                    synchronized (wrong) {
                        wrong.add(e);
                    }
                    return;
                }
            }
        }
    }

    /**
     * The answers that a departure may have: the device is gone; there is no such command; or Gogo
     * has found the command, and its service has gone before the call.
     */
    private static boolean isAbsence(Throwable e) {
        return (e instanceof ErrnoException errno && errno.errno() == Errno.ENODEV)
                || e.getClass().getSimpleName().equals("CommandNotFoundException")
                || e instanceof NullPointerException
                        && e.getStackTrace()[0]
                                .getClassName()
                                .equals("org.apache.felix.gogo.runtime.Reflective");
    }

    /** What runs for the device; it is the bus that lends its devices their threads. */
    private List<Work> engines() {
        return executions.work().stream().filter(w -> w.name().startsWith("edu0.")).toList();
    }

    /** Threads and timers of a bundle's execution. */
    private List<Work> work(String bundle) {
        return executions.work().stream().filter(w -> w.owner().equals(bundle)).toList();
    }

    private Bundle bundle() {
        return bundle(DEVICE);
    }

    private Bundle bundle(String name) {
        return new Framework(context).bundle(name);
    }
}
