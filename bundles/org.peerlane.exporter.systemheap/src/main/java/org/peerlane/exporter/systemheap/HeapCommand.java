package org.peerlane.exporter.systemheap;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Numbers;

/**
 * The commands of scope {@code heap}: buffers that the shell asks for, and holds until it gives
 * them back.
 *
 * <p><b>Locks.</b> {@code heap.command} guards the list only.
 */
@Component(
        service = HeapCommand.class,
        immediate = true, // what it holds must outlive a command
        property = {
            "osgi.command.scope=heap",
            "osgi.command.function=alloc",
            "osgi.command.function=free",
            "osgi.command.function=ls"
        })
public final class HeapCommand {
    private final DmaHeap system;
    private final NamedLock lock;

    /** All heaps; replaced as a whole. */
    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile List<DmaHeap> heaps = List.of();

    /** By number; guarded by lock. */
    private final Map<Long, DmaBuf> held = new TreeMap<>();

    /** Made by the framework, or by a test. */
    @Activate
    public HeapCommand(
            @Reference Execution execution,
            @Reference(target = "(" + DmaHeap.NAME + "=" + SystemHeap.SYSTEM + ")")
                    DmaHeap system) {
        this.system = system;
        lock = execution.lock("heap.command");
    }

    /** The shell's buffers go back. */
    @Deactivate
    public void close() {
        List<DmaBuf> left;
        lock.lock();
        try {
            left = List.copyOf(held.values());
            held.clear();
        } finally {
            lock.unlock();
        }
        left.forEach(DmaBuf::put);
    }

    /** {@return which buffer it is} */
    @Descriptor("allocates a buffer of the system heap")
    public String alloc(@Descriptor("its length, such as 4096 or 0x100000") String bytes) {
        return alloc(bytes, system);
    }

    /** {@return which buffer it is} */
    @Descriptor("allocates a buffer of a heap")
    public String alloc(
            @Descriptor("its length, such as 4096 or 0x100000") String bytes,
            @Descriptor("the heap, such as system or default_cma_region") String name) {
        List<DmaHeap> all = heaps;
        for (DmaHeap heap : all) {
            if (heap.name().equals(name)) {
                return alloc(bytes, heap);
            }
        }
        throw new ErrnoException(
                Errno.ENOENT,
                "no heap '%s'; there are %s"
                        .formatted(name, all.stream().map(DmaHeap::name).sorted().toList()));
    }

    private String alloc(String bytes, DmaHeap heap) {
        DmaBuf buffer =
                heap.allocate(
                        new DmaHeap.Allocation(
                                Numbers.parse("length", bytes, Long.MAX_VALUE),
                                0,
                                ExportInfo.O_RDWR,
                                0));
        lock.lock();
        try {
            held.put(buffer.id(), buffer);
        } finally {
            lock.unlock();
        }
        return "buffer %d, 0x%x bytes".formatted(buffer.id(), buffer.size());
    }

    /** {@return what was done} */
    @Descriptor("gives a buffer back that heap:alloc has answered")
    public String free(@Descriptor("its number") String buffer) {
        long id = Numbers.parse("buffer", buffer, Long.MAX_VALUE);
        DmaBuf mine;
        lock.lock();
        try {
            mine = held.remove(id);
        } finally {
            lock.unlock();
        }
        if (mine == null) {
            throw new ErrnoException(
                    Errno.ENOENT,
                    "buffer %d is none of the shell's; heap:ls lists those".formatted(id));
        }
        mine.put();
        return "buffer %d is given back".formatted(id);
    }

    /** {@return the shell's buffers} */
    @Descriptor("lists the buffers that the shell holds")
    public String ls() {
        List<String> lines = new ArrayList<>();
        lock.lock();
        try {
            held.forEach((id, buffer) ->
                    lines.add("buffer %d, 0x%x bytes".formatted(id, buffer.size())));
        } finally {
            lock.unlock();
        }
        return lines.isEmpty() ? "no buffers" : String.join("\n", lines);
    }
}
