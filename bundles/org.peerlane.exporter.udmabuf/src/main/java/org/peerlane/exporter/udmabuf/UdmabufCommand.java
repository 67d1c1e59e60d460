package org.peerlane.exporter.udmabuf;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.dmabuf.api.Udmabuf;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Numbers;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.Memfd;

/**
 * The commands of scope {@code udmabuf}: a process that has memfds, and buffers of them.
 *
 * <p><b>Life.</b> Its descriptors are closed when it goes. <b>Threads.</b> Any.
 */
@Component(
        service = UdmabufCommand.class,
        immediate = true, // its descriptors must outlive a command
        property = {
            "osgi.command.scope=udmabuf",
            "osgi.command.function=create",
            "osgi.command.function=close"
        })
public final class UdmabufCommand {
    private final Udmabuf udmabuf;
    private final AddressSpaces spaces;
    private final FileTable files = new FileTable("the shell");

    /** Made by the framework, or by a test. */
    @Activate
    public UdmabufCommand(@Reference Udmabuf udmabuf, @Reference AddressSpaces spaces) {
        this.udmabuf = udmabuf;
        this.spaces = spaces;
    }

    /** The shell's descriptors are closed. */
    @Deactivate
    public void closeAll() {
        files.closeAll();
    }

    /** {@return which descriptors there are now} */
    @Descriptor("makes a memfd, and a buffer of all of it")
    public String create(@Descriptor("its length, such as 4096 or 0x100000") String bytes) {
        long size = Numbers.parse("length", bytes, Long.MAX_VALUE);
        int memfd = memfd(size);
        boolean made = false;
        try {
            int buffer = udmabuf.create(files, 0, new Udmabuf.Item(memfd, 0, size));
            made = true;
            return "descriptor %d is a memfd of 0x%x bytes, descriptor %d a buffer of it"
                    .formatted(memfd, size, buffer);
        } finally {
            if (!made) {
                files.close(memfd);
            }
        }
    }

    private int memfd(long size) {
        Memfd memfd = spaces.memfd("shell", true);
        boolean installed = false;
        try {
            memfd.truncate(size);
            memfd.addSeals(Memfd.F_SEAL_SHRINK);
            int fd = files.install(memfd);
            installed = true;
            return fd;
        } finally {
            if (!installed) {
                memfd.put();
            }
        }
    }

    /** {@return what was done} */
    @Descriptor("closes a descriptor that udmabuf:create has answered")
    public String close(@Descriptor("its number") String descriptor) {
        int fd = (int) Numbers.parse("descriptor", descriptor, Integer.MAX_VALUE);
        files.close(fd);
        return "descriptor %d is closed".formatted(fd);
    }
}
