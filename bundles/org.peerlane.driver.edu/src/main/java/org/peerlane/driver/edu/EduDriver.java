package org.peerlane.driver.edu;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The driver of edu devices, and its commands {@code edu:list} and {@code edu:copy}.
 *
 * <p><b>Life.</b> A device is a {@link EduChannel} from probe to remove. When the driver itself
 * goes, it gives back what the bus has not taken back by then.
 *
 * <p><b>Locks.</b> {@code edu.driver} guards the list only and is never held across a call into the
 * bus or a channel.
 */
@Component(
        service = PcieDriver.class,
        immediate = true, // a shell command must not make a driver of its own
        property = {
            "osgi.command.scope=edu",
            "osgi.command.function=copy",
            "osgi.command.function=list"
        })
public final class EduDriver implements PcieDriver {
    private static final Logger LOG = LogManager.getLogger(EduDriver.class);
    private static final int VENDOR_ID = 0x1234;
    private static final int DEVICE_ID = 0x11E8;

    private final Execution execution;
    private final PhysicalMemory memory;
    private final DmaApi dma;
    private final NamedLock lock;

    /** By address; guarded by lock. */
    private final List<EduChannel> channels = new ArrayList<>();

    /** Made by the framework, or by a test. */
    @Activate
    public EduDriver(
            @Reference Execution execution,
            @Reference PhysicalMemory memory,
            @Reference DmaApi dma) {
        this.execution = execution;
        this.memory = memory;
        this.dma = dma;
        lock = execution.lock("edu.driver");
    }

    @Override
    public boolean matches(PcieFunction function) {
        return function.vendorId() == VENDOR_ID && function.deviceId() == DEVICE_ID;
    }

    @Override
    public void probe(PcieFunction function) {
        EduChannel channel = new EduChannel(execution, function, dma.device(function.address()));
        locked(() -> {
            channels.add(channel);
            channels.sort(Comparator.comparing(c -> c.function().address()));
            return channel;
        });
        LOG.info("{} at {} is driven", function.slot(), function.address());
    }

    @Override
    public void remove(PcieFunction function, boolean gone) {
        EduChannel channel =
                locked(() -> {
                    EduChannel found = find(function);
                    channels.remove(found);
                    return found;
                });
        if (channel != null) {
            channel.close(gone);
            LOG.info("{} is {}", function.slot(), gone ? "gone" : "given back");
        }
    }

    private @Nullable EduChannel find(PcieFunction function) {
        for (EduChannel channel : channels) {
            if (channel.function().equals(function)) {
                return channel;
            }
        }
        return null;
    }

    private <T extends @Nullable Object> T locked(Supplier<T> action) {
        lock.lock();
        try {
            return action.get();
        } finally {
            lock.unlock();
        }
    }

    /** The driver goes. */
    @Deactivate
    void deactivate() {
        for (EduChannel channel : channels()) {
            remove(channel.function(), !channel.function().isPresent());
        }
    }

    private List<EduChannel> channels() {
        return locked(() -> List.copyOf(channels));
    }

    /**
     * Copies a file's bytes through the first edu device.
     *
     * @throws ErrnoException {@code ENODEV} there is no edu device; and as {@link FileCopy#run}
     */
    public CopyReport copyFile(String file) {
        List<EduChannel> now = channels();
        if (now.isEmpty()) {
            throw new ErrnoException(
                    Errno.ENODEV, "no edu device: the machine has none that this driver drives");
        }
        return new FileCopy(execution, memory, now.getFirst()).run(UserPath.resolve(file));
    }

    /** The command {@code edu:copy}. */
    @Descriptor("copies a file through an edu device's DMA engine and compares SHA-256 sums")
    public void copy(CommandSession session, @Descriptor("the file") String file) {
        CopyReport report = copyFile(file);
        PrintStream out = session.getConsole();
        out.println(report);
        out.flush();
        report.check();
    }

    /** The command {@code edu:list}. */
    @Descriptor("lists the edu devices that are driven")
    public void list(CommandSession session) {
        PrintStream out = session.getConsole();
        for (EduChannel channel : channels()) {
            PcieFunction function = channel.function();
            out.printf("%s  %s%n", function.address(), function.slot());
        }
        out.flush();
    }
}
