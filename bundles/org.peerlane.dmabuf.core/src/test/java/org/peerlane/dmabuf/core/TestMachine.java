package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.AttachOperations.InvalidateMappings;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/** A core with an exporting and an importing bundle. */
final class TestMachine {
    static final long SIZE = 0x4000;
    static final ImporterDevice NVME = new ImporterDevice("nvme0", null, null);

    final Execution execution;
    final Tracer tracer;
    final DmaBufCore core;
    final OwnerDmaBufs heap;
    final OwnerDmaBufs nvme;
    final List<TraceEvent> events = new ArrayList<>();

    static final FenceOperations ISSUER =
            new FenceOperations() {
                @Override
                public String driverName() {
                    return "gpu0";
                }

                @Override
                public String timelineName(Fence fence) {
                    return "copy";
                }
            };

    TestMachine(Execution execution) {
        this(execution, "7.3", null);
    }

    TestMachine(Execution execution, String profile, @Nullable AddressSpaces spaces) {
        this.execution = execution;
        tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        core = new DmaBufCore(execution, tracer, Profile.parse(profile), spaces, true);
        heap = new OwnerDmaBufs("heap", core);
        nvme = new OwnerDmaBufs("nvme", core);
    }

    /** From now on keeps the events of the package. */
    void listen() {
        tracer.attach(
                new TraceSink() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        return type.getName().startsWith(DmaBufEvents.class.getName());
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        events.add(event);
                    }
                });
    }

    Buffer export(DmaBufOperations exporter) {
        return export("system", exporter);
    }

    /** {@return one of which the importer has a reference, too} */
    Buffer shared(DmaBufOperations exporter) {
        Buffer buffer = export(exporter);
        buffer.get();
        return buffer;
    }

    Buffer export(String name, DmaBufOperations exporter) {
        return (Buffer) heap.export(new ExportInfo(name, exporter, SIZE, "storage"));
    }

    /** A static importer. */
    BufferAttachment attach(DmaBuf buffer) {
        return (BufferAttachment) nvme.attach(buffer, NVME);
    }

    /** A dynamic importer. */
    BufferAttachment attach(DmaBuf buffer, InvalidateMappings callback) {
        return (BufferAttachment)
                nvme.dynamicAttach(buffer, NVME, new AttachOperations(true, callback), "private");
    }

    static BufferMapping map(Attachment attachment) {
        return (BufferMapping) attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
    }

    static void unmap(DmaBufMapping mapping) {
        mapping.attachment().unmapUnlocked(mapping, mapping.direction());
    }

    void invalidate(DmaBuf buffer) {
        buffer.reservation().whileHeld(_ -> heap.invalidateMappings(buffer));
    }

    /** {@return a fence on a timeline of its own, with one reference} */
    Fence fence() {
        return heap.fences().create(ISSUER, heap.fences().allocateContexts(1), 1);
    }

    /** {@return a fence that the buffer has now} */
    Fence fence(DmaBuf buffer, FenceUsage usage) {
        return fence(heap, buffer, usage);
    }

    /** {@return a fence of an owner's that the buffer has now} */
    Fence fence(OwnerDmaBufs owner, DmaBuf buffer, FenceUsage usage) {
        Fence fence = owner.fences().create(ISSUER, owner.fences().allocateContexts(1), 1);
        buffer.reservation()
                .whileHeld(reservation -> {
                    reservation.reserveFences(1);
                    reservation.addFence(fence, usage);
                });
        return fence;
    }

    EmulatedThread start(String name, Runnable body) {
        return execution.start(ThreadKind.BLOCKING, name, body);
    }

    void sleep(long nanos) {
        try {
            execution.sleep(nanos);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Lets threads of the core's go on until they wait or have ended. */
    void awaitThreads() {
        sleep(1_000_000_000L);
    }

    /** {@return the open files of a process} */
    FileTable files() {
        return new FileTable("process", 16);
    }

    /** {@return the rules that were broken, in order} */
    List<String> broken() {
        return core.violations().stream().map(Violation::rule).toList();
    }

    Violation last() {
        return core.violations().getLast();
    }

    /** Ends the thread; what it threw comes out here. */
    static void join(EmulatedThread thread) throws InterruptedException {
        thread.join();
        thread.failure()
                .ifPresent(thrown -> {
                    throw new AssertionError(thread.name() + " threw", thrown);
                });
    }

    static void expect(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }
}
