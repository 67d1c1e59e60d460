package org.peerlane.exporter.vfio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.Descriptor;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Numbers;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.Vfio;
import org.peerlane.vfio.api.VfioDevice;
import org.peerlane.vfio.api.VfioFile;

/**
 * The commands of scope {@code vfio}: what a VMM does, by hand. The shell is one user with one file
 * per function, and holds what it has exported until {@code vfio:close}.
 *
 * <p><b>Locks.</b> {@code vfio.command} guards the list only.
 */
@Component(
        service = VfioCommand.class,
        immediate = true, // what it has open must outlive a command
        property = {
            "osgi.command.scope=vfio",
            "osgi.command.function=ls",
            "osgi.command.function=bind",
            "osgi.command.function=unbind",
            "osgi.command.function=open",
            "osgi.command.function=close",
            "osgi.command.function=export",
            "osgi.command.function=memory",
            "osgi.command.function=reset"
        })
public final class VfioCommand {
    private static final long COMMAND = VfioFile.offset(VfioFile.CONFIG) + 4;
    private static final int MEMORY = 2;
    private static final int LAST_BAR = 5;

    private final PcieBus bus;
    private final Vfio vfio;
    private final NamedLock lock;

    /** By slot; guarded by lock. */
    private final Map<String, Opened> opened = new LinkedHashMap<>();

    private record Opened(VfioFile file, List<DmaBuf> exported) {}

    /** Made by the framework, or by a test. */
    @Activate
    public VfioCommand(
            @Reference Execution execution, @Reference PcieBus bus, @Reference Vfio vfio) {
        this.bus = bus;
        this.vfio = vfio;
        lock = execution.lock("vfio.command");
    }

    /** The shell's files are closed. */
    @Deactivate
    public void close() {
        List<Opened> left;
        lock.lock();
        try {
            left = List.copyOf(opened.values());
            opened.clear();
        } finally {
            lock.unlock();
        }
        left.forEach(VfioCommand::close);
    }

    private static void close(Opened one) {
        one.exported().forEach(DmaBuf::put);
        one.file().put();
    }

    /** {@return the functions that are bound} */
    @Descriptor("lists the functions that are passed through, and their regions")
    public String ls() {
        List<String> lines = new ArrayList<>();
        for (VfioDevice device : vfio.devices()) {
            PcieFunction function = device.function();
            lines.add(
                    "%s  %s  open %d times"
                            .formatted(function.address(), function.slot(), device.openCount()));
            Opened mine = find(function.slot());
            if (mine != null) {
                regions(mine.file(), lines);
                mine.exported()
                        .forEach(buffer ->
                                lines.add(
                                        "  exported as buffer %d, 0x%x bytes, %s"
                                                .formatted(
                                                        buffer.id(),
                                                        buffer.size(),
                                                        buffer.revokeState())));
            }
        }
        return lines.isEmpty() ? "nothing is passed through" : String.join("\n", lines);
    }

    private static void regions(VfioFile file, List<String> lines) {
        for (int index = 0; index < VfioFile.VGA; index++) {
            RegionInfo info = file.regionInfo(index);
            if (info.size() != 0) {
                lines.add(
                        "  region %d  0x%x bytes%s"
                                .formatted(
                                        index,
                                        info.size(),
                                        (info.flags() & RegionInfo.MMAP) != 0
                                                ? ", can be mapped"
                                                : ""));
            }
        }
    }

    /** {@return what was done} */
    @Descriptor("takes a function from its driver, and passes it through")
    public String bind(@Descriptor("its slot") String slot) {
        PcieFunction function = function(slot);
        if (Vfio.DRIVER.equals(bus.driver(function))) {
            throw new ErrnoException(Errno.EBUSY, slot + " is passed through already");
        }
        bus.overrideDriver(function, Vfio.DRIVER);
        if (bus.driver(function) != null) {
            bus.unbindDriver(function);
        }
        bus.bindDriver(function);
        return "%s at %s is passed through".formatted(slot, function.address());
    }

    /** {@return what was done} */
    @Descriptor("gives a function back to the driver that matches it")
    public String unbind(@Descriptor("its slot") String slot) {
        PcieFunction function = vfio.device(function(slot)).function();
        close(slot, false);
        bus.overrideDriver(function, null);
        bus.unbindDriver(function);
        try {
            bus.bindDriver(function);
        } catch (ErrnoException _) {
            return slot + " has no driver now";
        }
        return "%s is driven by %s".formatted(slot, bus.driver(function));
    }

    /** {@return what was done} */
    @Descriptor("opens a function: memory on, bus master off, reset")
    public String open(@Descriptor("its slot") String slot) {
        VfioFile file = vfio.device(function(slot)).open();
        lock.lock();
        try {
            if (opened.putIfAbsent(slot, new Opened(file, new ArrayList<>())) == null) {
                return slot + " is open";
            }
        } finally {
            lock.unlock();
        }
        file.put();
        throw new ErrnoException(Errno.EBUSY, "the shell has " + slot + " open already");
    }

    /** {@return what was done} */
    @Descriptor("closes a function; what was exported of it is revoked for good")
    public String close(@Descriptor("its slot") String slot) {
        close(slot, true);
        return slot + " is closed";
    }

    private void close(String slot, boolean must) {
        Opened mine;
        lock.lock();
        try {
            mine = opened.remove(slot);
        } finally {
            lock.unlock();
        }
        if (mine != null) {
            close(mine);
        } else if (must) {
            throw notOpen(slot);
        }
    }

    /** {@return which buffer it is} */
    @Descriptor("exports a slice of a BAR as a buffer")
    public String export(
            @Descriptor("its slot") String slot,
            @Descriptor("the BAR, 0 to 5") String bar,
            @Descriptor("where the slice begins") String offset,
            @Descriptor("its length, in whole pages") String length) {
        Opened mine = required(slot);
        DmaBuf buffer =
                mine.file()
                        .dmaBuf(
                                DmaBufRequest.of(
                                        (int) Numbers.parse("BAR", bar, LAST_BAR),
                                        Numbers.parse("offset", offset, Long.MAX_VALUE),
                                        Numbers.parse("length", length, Long.MAX_VALUE)));
        lock.lock();
        try {
            mine.exported().add(buffer);
        } finally {
            lock.unlock();
        }
        return "buffer %d, 0x%x bytes, %s"
                .formatted(buffer.id(), buffer.size(), buffer.revokeState());
    }

    /** {@return what was done} */
    @Descriptor("writes the memory bit of the virtual command register")
    public String memory(
            @Descriptor("its slot") String slot, @Descriptor("on or off") String state) {
        VfioFile file = required(slot).file();
        boolean on = state.equals("on");
        if (!on && !state.equals("off")) {
            throw new ErrnoException(
                    Errno.EINVAL, "memory '%s'; expected on or off".formatted(state));
        }
        MemorySegment command = MemorySegment.ofArray(new byte[1]);
        file.pread(command, COMMAND);
        byte bits = command.get(ValueLayout.JAVA_BYTE, 0);
        command.set(ValueLayout.JAVA_BYTE, 0, (byte) (on ? bits | MEMORY : bits & ~MEMORY));
        file.pwrite(command, COMMAND);
        return "memory of %s is %s".formatted(slot, state);
    }

    /** {@return what was done} */
    @Descriptor("resets a function as VFIO_DEVICE_RESET does")
    public String reset(@Descriptor("its slot") String slot) {
        required(slot).file().reset();
        return slot + " has been reset";
    }

    private PcieFunction function(String slot) {
        return bus.functions().stream()
                .filter(one -> one.slot().equals(slot))
                .findFirst()
                .orElseThrow(() ->
                        new ErrnoException(
                                Errno.ENODEV,
                                "there is no function '%s'; expected the name of a slot"
                                        .formatted(slot)));
    }

    private @Nullable Opened find(String slot) {
        lock.lock();
        try {
            return opened.get(slot);
        } finally {
            lock.unlock();
        }
    }

    private Opened required(String slot) {
        Opened mine = find(slot);
        if (mine == null) {
            throw notOpen(slot);
        }
        return mine;
    }

    private static ErrnoException notOpen(String slot) {
        return new ErrnoException(
                Errno.EBADF,
                "the shell has not opened %s; vfio:bind %s and vfio:open %s do"
                        .formatted(slot, slot, slot));
    }
}
