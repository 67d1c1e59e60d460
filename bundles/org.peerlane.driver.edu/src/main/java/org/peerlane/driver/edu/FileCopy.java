package org.peerlane.driver.edu;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Copies a file through a device: window by window it is loaded into emulated RAM, moved piece by
 * piece to the device and back to another place in RAM, and read back from there. Both ends are
 * hashed.
 *
 * <p><b>Life.</b> One run. However it ends, its pages are free again.
 *
 * <p><b>Threads.</b> The caller's. The device is the copy's own from start to end; others wait.
 */
public final class FileCopy {
    private static final int SCRATCH_BYTES = 256 << 10;

    private final Execution execution;
    private final PhysicalMemory memory;
    private final EduChannel channel;
    private final MessageDigest source = sha256();
    private final MessageDigest destination = sha256();
    private final byte[] scratch = new byte[SCRATCH_BYTES];
    private final MemorySegment scratchSegment = MemorySegment.ofArray(scratch);
    private long bytes;
    private long pieces;

    /** Prepares a copy. */
    public FileCopy(Execution execution, PhysicalMemory memory, EduChannel channel) {
        this.execution = execution;
        this.memory = memory;
        this.channel = channel;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /**
     * Copies.
     *
     * @throws ErrnoException {@code ENOENT}, {@code EISDIR}, {@code EACCES}, {@code EINVAL}, {@code
     *     EIO} the file cannot be read; {@code ENOMEM} no page that the device reaches is free; and
     *     as {@link EduChannel#move}
     */
    public CopyReport run(Path file) {
        if (Files.isDirectory(file)) {
            throw new ErrnoException(
                    Errno.EISDIR, file + " is a directory; expected a file to copy");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new ErrnoException(
                    Errno.EINVAL, file + " is neither a file nor a directory; expected a file");
        }
        try (SeekableByteChannel in = Files.newByteChannel(file, StandardOpenOption.READ)) {
            return run(in);
        } catch (IOException e) {
            throw refusal(file, e);
        }
    }

    /** {@return why a file cannot be read, in one sentence} */
    static ErrnoException refusal(Path file, IOException e) {
        return switch (e) {
            case NoSuchFileException _ ->
                    new ErrnoException(Errno.ENOENT, "there is no file " + file, e);
            case AccessDeniedException _ ->
                    new ErrnoException(Errno.EACCES, "no permission to read " + file, e);
            default ->
                    new ErrnoException(
                            Errno.EIO, "cannot read %s: %s".formatted(file, e.getMessage()), e);
        };
    }

    private CopyReport run(SeekableByteChannel in) throws IOException {
        channel.begin();
        try {
            long start = execution.nanoTime();
            int order = Window.orderFor(in.size());
            DmaDevice dma = channel.dma();
            try (Window from = Window.take(memory.pages(), dma, DmaDirection.TO_DEVICE, order);
                    Window to = Window.take(memory.pages(), dma, DmaDirection.FROM_DEVICE, order)) {
                long window = Math.min(from.bytes(), to.bytes());
                for (long loaded; (loaded = load(in, from, window)) > 0; ) {
                    poison(to, loaded);
                    move(from, to, loaded);
                    readBack(to, loaded);
                    bytes += loaded;
                }
            }
            return new CopyReport(
                    HexFormat.of().formatHex(source.digest()),
                    HexFormat.of().formatHex(destination.digest()),
                    bytes,
                    pieces,
                    execution.nanoTime() - start);
        } finally {
            channel.end();
        }
    }

    /** {@return how many bytes there were; 0: the file ends} */
    private long load(SeekableByteChannel in, Window into, long most) throws IOException {
        long done = 0;
        while (done < most) {
            ByteBuffer part =
                    ByteBuffer.wrap(scratch, 0, (int) Math.min(scratch.length, most - done));
            int read = in.read(part);
            if (read < 0) {
                break;
            }
            source.update(scratch, 0, read);
            memory.write(into.physical() + done, scratchSegment, 0, read);
            done += read;
        }
        return done;
    }

    /** What was there before must not pass for a copy. */
    private void poison(Window to, long length) {
        scratchSegment.fill((byte) 0xDB);
        for (long done = 0; done < length; done += scratch.length) {
            long part = Math.min(scratch.length, length - done);
            memory.write(to.physical() + done, scratchSegment, 0, part);
        }
    }

    private void move(Window from, Window to, long length) {
        for (long done = 0; done < length; pieces++) {
            int part = (int) Math.min(EduChannel.BUFFER_BYTES, length - done);
            channel.move(from.dmaAddress() + done, EduChannel.BUFFER, part, false);
            channel.move(EduChannel.BUFFER, to.dmaAddress() + done, part, true);
            done += part;
        }
    }

    private void readBack(Window from, long length) {
        for (long done = 0; done < length; ) {
            int part = (int) Math.min(scratch.length, length - done);
            memory.read(from.physical() + done, scratchSegment, 0, part);
            destination.update(scratch, 0, part);
            done += part;
        }
    }
}
