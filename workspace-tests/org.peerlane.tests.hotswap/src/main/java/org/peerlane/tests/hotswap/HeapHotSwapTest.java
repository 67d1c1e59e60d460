package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.memory.api.PhysicalMemory;

/** The system heap is stopped, started and updated while its memory is in use. */
@DisplayName("Hot swap of the system heap")
class HeapHotSwapTest {
    private static final String HEAP = "org.peerlane.exporter.systemheap";
    private static final long MIB = 1 << 20;
    private static final int ROUNDS = 16;

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    private Bundle heap() {
        return new Framework(context).bundle(HEAP);
    }

    private <T> T service(Class<T> type) throws Exception {
        return new Framework(context).service(type);
    }

    private DmaBuf allocate() throws Exception {
        return service(DmaHeap.class).allocate(new DmaHeap.Allocation(MIB, 0, 2, 0));
    }

    @AfterEach
    void start() throws Exception {
        heap().start();
        service(DmaHeap.class);
        assertThat(service(DmaBufDebug.class).buffers()).isEmpty();
    }

    @Test
    void itGoesWithBuffersInUseAndItsMemoryComesBack() throws Exception {
        allocate().put(); // whatever is made once is there
        long free = service(PhysicalMemory.class).pages().freePages();
        for (int round = 0; round < ROUNDS; round++) {
            DmaBuf buffer = allocate();
            new Shell(processor).run("heap:alloc 0x10000");
            heap().stop();
            assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
            assertThat(service(PhysicalMemory.class).pages().freePages()).isEqualTo(free);
            buffer.put();
            assertThat(service(DmaBufDebug.class).buffers()).isEmpty();
            heap().start();
            service(DmaHeap.class);
        }
    }

    @Test
    void anUpdateLeavesNoClassesBehind() throws Exception {
        DmaBuf buffer = allocate();
        WeakReference<ClassLoader> code = Framework.code(heap());
        new Framework(context).update(heap());
        service(DmaHeap.class);
        Framework.isCollected(code); // though somebody holds a buffer of it
        buffer.put();
    }
}
