package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.List;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
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
        return new Framework(context).bundle(VFIO);
    }

    private String run(String command) throws Exception {
        return new Shell(processor).run(command);
    }

    private <T> T service(Class<T> type) throws Exception {
        return new Framework(context).service(type);
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
        WeakReference<ClassLoader> code = Framework.code(vfio());
        new Framework(context).update(vfio());
        Await.until("it is bound again", () -> driver().equals("vfio-pci"));
        export();
        Framework.isCollected(code);
    }
}
