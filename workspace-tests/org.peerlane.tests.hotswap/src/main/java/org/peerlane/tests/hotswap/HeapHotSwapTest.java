package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.Objects;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Udmabuf;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.api.PhysicalMemory;

/** Exporters of ordinary memory are stopped, started and updated while it is in use. */
@DisplayName("Hot swap of the heaps and of udmabuf")
class HeapHotSwapTest {
    private static final long MIB = 1 << 20;
    private static final int ROUNDS = 16;

    /** A bundle, and the command by which the shell takes memory of it. */
    enum Exporter {
        SYSTEM("systemheap", "heap:alloc 0x10000"),
        CMA("cmaheap", "heap:alloc 0x10000 default_cma_region"),
        UDMABUF("udmabuf", "udmabuf:create 0x10000");

        private final String bundle;
        private final String command;

        Exporter(String bundle, String command) {
            this.bundle = "org.peerlane.exporter." + bundle;
            this.command = command;
        }
    }

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    private Bundle bundle(Exporter exporter) {
        return new Framework(context).bundle(exporter.bundle);
    }

    private <T> T service(Class<T> type, String filter) throws Exception {
        Await.until(
                "a " + type + " " + filter,
                () -> !context.getServiceReferences(type, filter).isEmpty());
        return Objects.requireNonNull(
                context.getService(context.getServiceReferences(type, filter).iterator().next()));
    }

    private <T> T service(Class<T> type) throws Exception {
        return service(type, "(objectClass=*)");
    }

    private DmaHeap heap(String name) throws Exception {
        return service(DmaHeap.class, "(" + DmaHeap.NAME + "=" + name + ")");
    }

    private void awaitService(Exporter exporter) throws Exception {
        switch (exporter) {
            case SYSTEM -> heap("system");
            case CMA -> heap("default_cma_region");
            case UDMABUF -> service(Udmabuf.class);
        }
    }

    private DmaBuf allocate(Exporter exporter) throws Exception {
        DmaHeap.Allocation request = new DmaHeap.Allocation(MIB, 0, 2, 0);
        return switch (exporter) {
            case SYSTEM -> heap("system").allocate(request);
            case CMA -> heap("default_cma_region").allocate(request);
            case UDMABUF -> ofMemfd();
        };
    }

    private DmaBuf ofMemfd() throws Exception {
        Memfd memfd = service(AddressSpaces.class).memfd("test", true);
        memfd.truncate(MIB);
        memfd.addSeals(Memfd.F_SEAL_SHRINK);
        FileTable files = new FileTable("test");
        Udmabuf.Item all = new Udmabuf.Item(files.install(memfd), 0, MIB);
        DmaBuf buffer =
                (DmaBuf) files.get(service(Udmabuf.class).create(files, 0, all)); // one for us
        files.closeAll();
        return buffer;
    }

    private long free() throws Exception {
        return service(PhysicalMemory.class).pages().freePages();
    }

    @AfterEach
    void start() throws Exception {
        for (Exporter exporter : Exporter.values()) {
            bundle(exporter).start();
            awaitService(exporter);
        }
        assertThat(service(DmaBufDebug.class).buffers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void itGoesWithBuffersInUseAndItsMemoryComesBack(Exporter exporter) throws Exception {
        allocate(exporter).put(); // whatever is made once is there
        bundle(exporter).stop();
        long free = free();
        for (int round = 0; round < ROUNDS; round++) {
            bundle(exporter).start();
            awaitService(exporter);
            DmaBuf buffer = allocate(exporter);
            take(exporter);
            bundle(exporter).stop();
            assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
            assertThat(free()).isEqualTo(free);
            buffer.put();
            releaseOthers(exporter);
            assertThat(service(DmaBufDebug.class).buffers()).isEmpty();
        }
    }

    /** The shell has the heap a moment after its service is there. */
    private void take(Exporter exporter) throws Exception {
        Await.until(
                exporter.command,
                () -> {
                    try {
                        new Shell(processor).run(exporter.command);
                        return true;
                    } catch (Exception e) {
                        return false;
                    }
                });
    }

    /** The shell holds what is revoked, until its own bundle goes, or it is told to let go. */
    private void releaseOthers(Exporter exporter) throws Exception {
        if (exporter == Exporter.CMA) {
            for (var buffer : service(DmaBufDebug.class).buffers()) {
                new Shell(processor).run("heap:free " + buffer.id());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void anUpdateLeavesNoClassesBehind(Exporter exporter) throws Exception {
        DmaBuf buffer = allocate(exporter);
        WeakReference<ClassLoader> code = Framework.code(bundle(exporter));
        new Framework(context).update(bundle(exporter));
        awaitService(exporter);
        Framework.isCollected(code); // though somebody holds a buffer of it
        buffer.put();
    }
}
