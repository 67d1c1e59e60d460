package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.CommandProcessor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.BufferInfo.AttachmentInfo;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.Executions;
import org.peerlane.exec.api.Work;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.tests.hotswap.guest.ExportingGuest;
import org.peerlane.tests.hotswap.guest.ImportingGuest;

/** Exporters and importers that are stopped in the middle of it. */
@DisplayName("Hot swap of bundles with buffers")
class DmaBufHotSwapTest {
    private static final String CORE = "org.peerlane.dmabuf.core";

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    @InjectService(timeout = 20_000)
    Executions executions;

    private final FileTable files = new FileTable("process");
    private @Nullable ServiceRegistration<FileTable> process;
    private @Nullable Bundle exporter;
    private @Nullable Bundle importer;

    @AfterEach
    void uninstall() throws Exception {
        for (Bundle guest : new Bundle[] {importer, exporter}) {
            if (guest != null && guest.getState() != Bundle.UNINSTALLED) {
                guest.uninstall();
            }
        }
        files.closeAll();
        Await.until("nobody holds a buffer", () -> debug().buffers().isEmpty());
        ServiceRegistration<FileTable> registered = process;
        if (registered != null) {
            registered.unregister();
            process = null;
        }
    }

    private <T> T service(Class<T> type) throws Exception {
        return new Framework(context).service(type);
    }

    private DmaBufDebug debug() throws Exception {
        return service(DmaBufDebug.class);
    }

    private void startBoth() throws Exception {
        service(DmaBufs.class);
        process = context.registerService(FileTable.class, files, null);
        exporter = Guests.start(context, "guest.exporter", ExportingGuest.class);
        importer = Guests.start(context, "guest.importer", ImportingGuest.class);
    }

    private static String owners(BufferInfo buffer) {
        return buffer.owner() + buffer.attachments().stream().map(AttachmentInfo::owner).toList();
    }

    private String run(String command) throws Exception {
        return new Shell(processor).run(command);
    }

    @Test
    void eachBundleIsKnownByItsName() throws Exception {
        startBoth();
        assertThat(debug().buffers())
                .singleElement()
                .satisfies(b -> assertThat(owners(b)).isEqualTo("guest.exporter[guest.importer]"));
        long id = debug().buffers().getFirst().id();
        assertThat(run("dmabuf:ls")).contains("guest.exporter");
        assertThat(run("dmabuf:show " + id)).contains("guest0 of guest.importer, dynamic");
        assertThat(run("dmabuf:why " + id)).contains("attachment", "guest0");
    }

    @Test
    void anExporterThatIsStoppedLeavesNothingOfItself() throws Exception {
        startBoth();
        Bundle leaving = Objects.requireNonNull(exporter);
        WeakReference<ClassLoader> code = Framework.code(leaving);
        leaving.uninstall();
        assertThat(last().who()).isEqualTo("guest.exporter");
        assertThat(last().mappings()).isEqualTo(1);
        assertThat(last().unfinished()).isEmpty();
        assertThat(debug().buffers()) // the importer has it still
                .singleElement()
                .returns(RevokeState.REVOKED_FOR_GOOD, BufferInfo::revokeState);
        assertThat(run("dmabuf:departures")).contains("guest.exporter: 1 buffers revoked");
        exporter = null;
        leaving = null;
        Framework.isCollected(code);
    }

    @Test
    void anImporterThatIsStoppedLeavesNothingOfItself() throws Exception {
        startBoth();
        Bundle leaving = Objects.requireNonNull(importer);
        WeakReference<ClassLoader> code = Framework.code(leaving);
        leaving.uninstall();
        assertThat(last().who()).isEqualTo("guest.importer");
        assertThat(last().attachments()).isEqualTo(1);
        assertThat(debug().buffers())
                .singleElement()
                .satisfies(buffer -> assertThat(buffer.attachments()).isEmpty())
                .returns(RevokeState.OK, BufferInfo::revokeState);
        assertThat(run("dmabuf:violations")).contains("CK-6", "guest.importer leaves");
        importer = null;
        leaving = null;
        Framework.isCollected(code);
    }

    @Test
    void theCoreLeavesAndComesBack() throws Exception {
        startBoth();
        Bundle core = new Framework(context).bundle(CORE);
        core.stop();
        assertThat(context.getServiceReference(DmaBufs.class)).isNull();
        assertThat(work()).isEmpty();
        core.start();
        uninstall();
        assertThat(debug().buffers()).isEmpty();
        startBoth();
        assertThat(debug().buffers()).hasSize(1);
        assertThat(work()).isEmpty();
    }

    private List<Work> work() {
        return executions.work().stream().filter(work -> work.owner().equals(CORE)).toList();
    }

    private DepartureReport last() throws Exception {
        return debug().departures().getLast();
    }
}
