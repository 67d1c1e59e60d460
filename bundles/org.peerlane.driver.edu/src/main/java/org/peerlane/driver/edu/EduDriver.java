package org.peerlane.driver.edu;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Drives every edu function there is, and has the commands {@code edu:list} and {@code edu:copy}.
 *
 * <p><b>Threads.</b> probe and remove: the bus's. Commands: any.
 */
@Component(
        service = PcieDriver.class,
        property = {
            "osgi.command.scope=edu",
            "osgi.command.function=list",
            "osgi.command.function=copy"
        })
public final class EduDriver implements PcieDriver {
    private static final int VENDOR = 0x1234;
    private static final int DEVICE = 0x11E8;

    private final Execution execution;
    private final PhysicalMemory memory;
    private final Map<PcieAddress, EduChannel> channels = new ConcurrentSkipListMap<>();

    /** For the framework and for tests. */
    @Activate
    public EduDriver(@Reference Execution execution, @Reference PhysicalMemory memory) {
        this.execution = execution;
        this.memory = memory;
    }

    @Override
    public boolean matches(PcieFunction function) {
        return function.vendorId() == VENDOR && function.deviceId() == DEVICE;
    }

    @Override
    public void probe(PcieFunction function) {
        channels.put(function.address(), new EduChannel(execution, function));
    }

    @Override
    public void remove(PcieFunction function, boolean gone) {
        EduChannel channel = channels.remove(function.address());
        if (channel != null) {
            channel.close();
        }
    }

    /** {@code edu:list}: the functions that this driver drives. */
    public String list() {
        return channels.isEmpty()
                ? "no edu device"
                : channels.values().stream()
                        .map(c -> c.function().address() + " " + c.function().slot())
                        .collect(Collectors.joining("\n"));
    }

    /**
     * {@code edu:copy FILE}: moves a file through the first edu device and compares.
     *
     * @param file relative to the folder that the user is in
     * @throws ErrnoException {@code ENOENT}, {@code EISDIR}, {@code EACCES} for the file; {@code
     *     ENODEV} no device, or it left; what {@link FileCopy#run} throws
     */
    public String copy(String file) {
        Path path = resolve(file);
        EduChannel channel =
                channels.values().stream()
                        .findFirst()
                        .orElseThrow(() ->
                                new ErrnoException(Errno.ENODEV, "no edu device is on the bus"));
        return new FileCopy(execution, memory, channel).run(path);
    }

    private static Path resolve(String file) {
        Path path;
        try {
            path = Path.of(System.getProperty("peerlane.cwd", "")).resolve(file);
        } catch (InvalidPathException e) {
            throw new ErrnoException(Errno.EINVAL, "'%s' is no file name".formatted(file), e);
        }
        if (!Files.exists(path)) {
            throw new ErrnoException(Errno.ENOENT, "no file " + path);
        }
        if (Files.isDirectory(path)) {
            throw new ErrnoException(Errno.EISDIR, path + " is a folder; expected a file");
        }
        if (!Files.isReadable(path)) {
            throw new ErrnoException(Errno.EACCES, path + " may not be read");
        }
        return path;
    }
}
