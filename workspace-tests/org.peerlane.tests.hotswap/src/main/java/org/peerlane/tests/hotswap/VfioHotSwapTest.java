package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.exec.api.Executions;
import org.peerlane.exec.api.Work;

/** VFIO is stopped, started and updated with a function open and a BAR exported. */
@DisplayName("Hot swap of VFIO")
class VfioHotSwapTest {
    private static final String VFIO = "org.peerlane.exporter.vfio";
    private static final int ROUNDS = 16;

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    @InjectService(timeout = 20_000)
    Executions executions;

    private Bundle vfio() {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> VFIO.equals(bundle.getSymbolicName()))
                .findFirst()
                .orElseThrow();
    }

    private String run(String command) throws Exception {
        return new Shell(processor).run(command);
    }

    private <T> T service(Class<T> type) throws Exception {
        Await.until("a " + type, () -> context.getServiceReference(type) != null);
        ServiceReference<T> reference = Objects.requireNonNull(context.getServiceReference(type));
        return Objects.requireNonNull(context.getService(reference));
    }

    private PcieFunction edu() throws Exception {
        return service(PcieBus.class).functions().stream()
                .filter(one -> one.slot().equals("edu0"))
                .findFirst()
                .orElseThrow();
    }

    private String driver() throws Exception {
        return String.valueOf(service(PcieBus.class).driver(edu()));
    }

    private List<Work> work() {
        return executions.work().stream().filter(work -> work.owner().equals(VFIO)).toList();
    }

    private void export() throws Exception {
        run("vfio:open edu0");
        assertThat(run("vfio:export edu0 0 0 0x1000")).contains("0x1000 bytes, OK");
        assertThat(service(DmaBufDebug.class).buffers()).hasSize(1);
    }

    @AfterEach
    void giveBack() throws Exception {
        vfio().start();
        Await.until("the driver is back", () -> driver().equals("vfio-pci"));
        run("vfio:unbind edu0");
        assertThat(driver()).isEqualTo("org.peerlane.driver.edu");
    }

    @Test
    void itGoesAndComesBackWithABarExported() throws Exception {
        Await.until("edu is driven", () -> driver().equals("org.peerlane.driver.edu"));
        run("vfio:bind edu0");
        long before = service(DmaBufDebug.class).violationCount();
        for (int round = 0; round < ROUNDS; round++) {
            export();
            vfio().stop();
            assertThat(service(DmaBufDebug.class).buffers()).isEmpty();
            assertThat(driver()).as("it is for VFIO, which is not there").isEqualTo("null");
            assertThat(work()).isEmpty();
            vfio().start();
            Await.until("it is bound again", () -> driver().equals("vfio-pci"));
        }
        assertThat(service(DmaBufDebug.class).violationCount()).isEqualTo(before);
    }

    @Test
    void anUpdateLeavesNoClassesBehind() throws Exception {
        Await.until("edu is driven", () -> driver().equals("org.peerlane.driver.edu"));
        run("vfio:bind edu0");
        export();
        WeakReference<ClassLoader> code =
                new WeakReference<>(vfio().adapt(BundleWiring.class).getClassLoader());
        vfio().update();
        CountDownLatch refreshed = new CountDownLatch(1);
        context.getBundle(0)
                .adapt(FrameworkWiring.class)
                .refreshBundles(List.of(vfio()), _ -> refreshed.countDown());
        refreshed.await();
        Await.until("it is bound again", () -> driver().equals("vfio-pci"));
        export();
        Await.until(
                "its classes are gone",
                () -> {
                    System.gc();
                    return code.get() == null;
                });
    }
}
