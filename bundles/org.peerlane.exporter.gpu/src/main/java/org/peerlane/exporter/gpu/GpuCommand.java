package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.Execution;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.GpuMemory;
import org.peerlane.gpu.api.Gpus;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Numbers;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.CpuSignal;

/**
 * The commands of scope {@code gpu}: what an application does with a card, by hand. A buffer is
 * named by its card and its handle, such as {@code gpu0.3}, whoever has allocated it; the shell
 * gives back what it holds itself.
 *
 * <p><b>Threads.</b> Any: a pipe runs commands at once.
 */
@Component(
        service = GpuCommand.class,
        immediate = true, // what it holds must outlive a command
        property = {
            "osgi.command.scope=gpu",
            "osgi.command.function=ls",
            "osgi.command.function=buffers",
            "osgi.command.function=alloc",
            "osgi.command.function=free",
            "osgi.command.function=fill",
            "osgi.command.function=copy",
            "osgi.command.function=peek",
            "osgi.command.function=poke",
            "osgi.command.function=export",
            "osgi.command.function=import",
            "osgi.command.function=move",
            "osgi.command.function=evict",
            "osgi.command.function=pressure",
            "osgi.command.function=reset"
        })
public final class GpuCommand {
    private static final long PAGE = VramAllocator.PAGE;
    private static final int WORD = 4;
    private static final long WORD_MOST = 0xFFFF_FFFFL;

    private final Gpus gpus;
    private final AddressSpaces spaces;
    private final ShellBuffers shell;

    /** Made by the framework, or by a test. */
    @Activate
    public GpuCommand(
            @Reference Execution execution, @Reference Gpus gpus, @Reference AddressSpaces spaces) {
        this.gpus = gpus;
        this.spaces = spaces;
        shell = new ShellBuffers(execution);
    }

    /** The shell's buffers go back. */
    @Deactivate
    public void close() {
        shell.close();
    }

    // ---- what there is

    /** {@return the cards} */
    @Descriptor("lists the cards and their memory: how much, visible to the CPU, in use")
    public String ls() {
        List<String> lines = new ArrayList<>();
        for (Gpu card : gpus.gpus()) {
            for (GpuMemory memory : card.memory()) {
                lines.add(
                        "%-8s %-13s %-7s %-12s %-12s %-12s %-10d %d"
                                .formatted(
                                        card.name(),
                                        card.function().address(),
                                        memory.placement(),
                                        "0x%x".formatted(memory.bytes()),
                                        "0x%x".formatted(memory.visible()),
                                        "0x%x".formatted(memory.used()),
                                        memory.evictions(),
                                        card.resets()));
            }
        }
        return table(
                "card     address       memory  bytes        visible      used         evictions  resets",
                lines,
                "no GPU is driven");
    }

    /** {@return the buffers} */
    @Descriptor("lists the buffers of all cards: where they lie and why, and how they are shared")
    public String buffers() {
        shell.forgetAllBut(gpus.gpus());
        List<String> lines = new ArrayList<>();
        for (Gpu card : gpus.gpus()) {
            for (GpuBuffer buffer : card.buffers()) {
                lines.add(
                        "%-10s %-12s %-7s %-7d %s"
                                .formatted(
                                        buffer,
                                        "0x%x".formatted(buffer.size()),
                                        dmaBuf(buffer),
                                        buffer.losses(),
                                        buffer.whereabouts()));
            }
        }
        return table("buffer     bytes        dmabuf  losses  where", lines, "no buffers");
    }

    private static String table(String head, List<String> lines, String nothing) {
        return lines.isEmpty() ? nothing : head + "\n" + String.join("\n", lines);
    }

    /** {@return the number of the DMA-BUF that there is of a buffer, whoever has asked for it} */
    private static String dmaBuf(GpuBuffer buffer) {
        return switch (buffer) {
            case ImportedBuffer taken -> Long.toString(taken.buffer().id());
            case OwnBuffer own -> {
                DmaBuf shared = own.live();
                if (shared == null) {
                    yield "-";
                }
                try {
                    yield Long.toString(shared.id());
                } finally {
                    shared.put();
                }
            }
            default -> "-";
        };
    }

    // ---- buffers come and go

    /** {@return which buffer it is} */
    @Descriptor("allocates a buffer of zeros, in VRAM if there is room")
    public String alloc(
            @Descriptor("the card") String card,
            @Descriptor("its length, such as 4096 or 0x100000") String bytes) {
        return alloc(card, bytes, "both");
    }

    /** {@return which buffer it is} */
    @Descriptor("allocates a buffer of zeros, where it is told to")
    public String alloc(
            @Descriptor("the card") String card,
            @Descriptor("its length, such as 4096 or 0x100000") String bytes,
            @Descriptor("vram, gtt or both; or invisible") String where) {
        return where.equals("invisible")
                ? alloc(card, bytes, "both", where)
                : allocate(card, bytes, where, true);
    }

    /** {@return which buffer it is} */
    @Descriptor("allocates a buffer of zeros that the CPU will not need")
    public String alloc(
            @Descriptor("the card") String card,
            @Descriptor("its length, such as 4096 or 0x100000") String bytes,
            @Descriptor("vram, gtt or both") String where,
            @Descriptor("invisible: it may lie beyond the BAR") String invisible) {
        if (!invisible.equals("invisible")) {
            throw new ErrnoException(
                    Errno.EINVAL, "'%s'; expected invisible, or nothing".formatted(invisible));
        }
        return allocate(card, bytes, where, false);
    }

    private String allocate(String card, String bytes, String where, boolean visible) {
        Set<Placement> domains =
                switch (where) {
                    case "vram" -> EnumSet.of(Placement.VRAM);
                    case "gtt" -> EnumSet.of(Placement.GTT);
                    case "both" -> EnumSet.of(Placement.VRAM, Placement.GTT);
                    default ->
                            throw new ErrnoException(
                                    Errno.EINVAL,
                                    "placement '%s'; expected vram, gtt or both".formatted(where));
                };
        long length = Numbers.parse("length", bytes, Long.MAX_VALUE);
        Gpu gpu = gpus.gpu(card);
        shell.forgetAllBut(gpus.gpus());
        GpuBuffer made = gpu.allocate(new GpuAllocation(length, domains, visible));
        shell.add(made);
        return "%s, 0x%x bytes, %s".formatted(made, made.size(), made.whereabouts());
    }

    /** {@return what was done} */
    @Descriptor("gives a buffer back, with the references that the shell has to it")
    public String free(@Descriptor("such as gpu0.3") String buffer) {
        GpuBuffer mine = buffer(buffer);
        shell.free(mine);
        return mine + " is given back";
    }

    /** {@return which buffer it is} */
    @Descriptor("makes a DMA-BUF of a buffer, and holds it until gpu:free")
    public String export(@Descriptor("such as gpu0.3") String buffer) {
        GpuBuffer shared = buffer(buffer);
        DmaBuf made = shared.export(ExportInfo.O_RDWR);
        String answer = "%s is DMA-BUF %d".formatted(shared, made.id());
        shell.exported(shared, made);
        return answer;
    }

    /** The command {@code gpu:import}: {@return which buffer it is} */
    @Descriptor("takes another card's buffer in, as one that this card's engine can use")
    public String _import(
            @Descriptor("the card") String card,
            @Descriptor("another card's, such as gpu0.3") String buffer) {
        Gpu gpu = gpus.gpu(card);
        DmaBuf shared = buffer(buffer).export(ExportInfo.O_RDWR);
        try {
            GpuBuffer taken = gpu.importBuffer(shared);
            shell.add(taken);
            return "%s, 0x%x bytes, %s".formatted(taken, taken.size(), taken.whereabouts());
        } finally {
            shared.put();
        }
    }

    // ---- work

    /** {@return what was done} */
    @Descriptor("has the engine fill a buffer, and waits")
    public String fill(
            @Descriptor("such as gpu0.3") String buffer,
            @Descriptor("a word of 32 bits, such as 0xcafe") String pattern) {
        GpuBuffer target = buffer(buffer);
        int word = (int) Numbers.parse("pattern", pattern, WORD_MOST);
        await("the fill of " + target, target.fill(0, target.size(), word));
        return "%s is filled with 0x%08x".formatted(target, word);
    }

    /** {@return what was done} */
    @Descriptor("has the engine copy a buffer to another one of its card, and waits")
    public String copy(
            @Descriptor("such as gpu0.3") String from, @Descriptor("such as gpu0.4") String to) {
        GpuBuffer source = buffer(from);
        GpuBuffer target = buffer(to);
        long bytes = Math.min(source.size(), target.size());
        await(
                "the copy from %s to %s".formatted(source, target),
                source.copyTo(0, target, 0, bytes));
        return "0x%x bytes from %s to %s".formatted(bytes, source, target);
    }

    /** The driver sees to it that every fence signals. */
    private static void await(String what, Fence fence) {
        try {
            fence.waitTimeout(true, Reservation.NO_LIMIT);
            Errno error = fence.error();
            if (error != null) {
                throw new ErrnoException(error, what + " has failed");
            }
        } finally {
            fence.put();
        }
    }

    // ---- processes

    /** {@return a word} */
    @Descriptor("reads a word of 32 bits as a process does, through a mapping")
    public String peek(
            @Descriptor("such as gpu0.3") String buffer,
            @Descriptor("where, a multiple of 4") String offset) {
        return "0x%08x"
                .formatted(
                        (int)
                                touch(
                                        buffer,
                                        offset,
                                        AddressSpace.PROT_READ,
                                        (space, address) -> space.load(address, WORD)));
    }

    /** Writes a word. */
    @Descriptor("writes a word of 32 bits as a process does, through a mapping")
    public void poke(
            @Descriptor("such as gpu0.3") String buffer,
            @Descriptor("where, a multiple of 4") String offset,
            @Descriptor("the word") String value) {
        int word = (int) Numbers.parse("value", value, WORD_MOST);
        touch(
                buffer,
                offset,
                AddressSpace.PROT_READ | AddressSpace.PROT_WRITE,
                (space, address) -> {
                    space.store(address, WORD, word);
                    return 0;
                });
    }

    private interface Touch {
        long at(AddressSpace space, long address);
    }

    private long touch(String name, String offset, int protection, Touch touch) {
        GpuBuffer buffer = buffer(name);
        long at = Numbers.parse("offset", offset, Long.MAX_VALUE);
        if (at < 0 || at > buffer.size() - WORD || at % WORD != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "offset 0x%x; expected a multiple of 4 below 0x%x, the length of %s"
                            .formatted(at, buffer.size(), buffer));
        }
        try (AddressSpace process = spaces.create("gpu:peek")) {
            CpuMapping page =
                    buffer.mmap(process, 0, PAGE, protection, AddressSpace.MAP_SHARED, at & -PAGE);
            return touch.at(process, page.first() + (at & PAGE - 1));
        } catch (CpuSignal e) {
            throw new ErrnoException(
                    Errno.EFAULT, "%s at 0x%x: %s".formatted(buffer, at, e.getMessage()), e);
        }
    }

    // ---- what happens to buffers

    /** {@return where it is now} */
    @Descriptor("moves a buffer")
    public String move(
            @Descriptor("such as gpu0.3") String buffer,
            @Descriptor("vram, gtt or system") String placement) {
        GpuBuffer moving = buffer(buffer);
        moving.move(
                switch (placement) {
                    case "vram" -> Placement.VRAM;
                    case "gtt" -> Placement.GTT;
                    case "system" -> Placement.SYSTEM;
                    default ->
                            throw new ErrnoException(
                                    Errno.EINVAL,
                                    "placement '%s'; expected vram, gtt or system"
                                            .formatted(placement));
                });
        return "%s, 0x%x bytes, %s".formatted(moving, moving.size(), moving.whereabouts());
    }

    /** {@return how many have left} */
    @Descriptor("moves everything out of the VRAM that is not pinned")
    public String evict(@Descriptor("the card") String card) {
        return "%d buffers have left the VRAM of %s".formatted(gpus.gpu(card).evict(), card);
    }

    /** {@return who had to leave} */
    @Descriptor("wants more VRAM than there is, and says who had to leave for it")
    public String pressure(@Descriptor("the card") String card) {
        return new Pressure(gpus.gpu(card)).run();
    }

    /** {@return what was done} */
    @Descriptor("resets a card; what was in its VRAM is lost")
    public String reset(@Descriptor("the card") String card) {
        Gpu gpu = gpus.gpu(card);
        Map<GpuBuffer, Long> before =
                gpu.buffers().stream().collect(Collectors.toMap(one -> one, GpuBuffer::losses));
        gpu.reset();
        String lost =
                gpu.buffers().stream()
                        .filter(one -> one.losses() > before.getOrDefault(one, 0L))
                        .map(GpuBuffer::toString)
                        .collect(Collectors.joining(" "));
        return "%s has been reset; content was lost of %s"
                .formatted(card, lost.isEmpty() ? "no buffer" : lost);
    }

    // ---- words

    private GpuBuffer buffer(String name) {
        int dot = name.lastIndexOf('.');
        long handle;
        try {
            handle = Long.parseUnsignedLong(name.substring(dot + 1));
        } catch (NumberFormatException e) {
            handle = -1;
        }
        if (dot <= 0 || handle < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "buffer '%s'; expected a card and a number, such as gpu0.3".formatted(name));
        }
        for (GpuBuffer one : gpus.gpu(name.substring(0, dot)).buffers()) {
            if (one.handle() == handle) {
                return one;
            }
        }
        throw new ErrnoException(
                Errno.ENOENT, "there is no buffer '%s'; gpu:buffers lists them".formatted(name));
    }
}
