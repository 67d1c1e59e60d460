package org.peerlane.driver.edu;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Moves a file through an edu device: a window of it is loaded into RAM, the device moves it piece
 * by piece to another place in RAM, and it is read back from there.
 *
 * <p><b>Life.</b> One copy. The pages are given back whatever happens.
 */
final class FileCopy {
    private static final int WINDOW_ORDER = 8;
    private static final int WINDOW_BYTES = 4096 << WINDOW_ORDER;

    /** The device's DMA engine has 28 address bits unless its board says more. */
    private static final long REACH = 1L << 28;

    private final Execution execution;
    private final PhysicalMemory memory;
    private final EduChannel channel;
    private final MessageDigest sourceSum = sha256();
    private final MessageDigest targetSum = sha256();
    private final ByteBuffer loaded = ByteBuffer.allocate(WINDOW_BYTES);
    private final byte[] back = new byte[WINDOW_BYTES];
    private long bytes;
    private long pieces;
    private long moving;

    FileCopy(Execution execution, PhysicalMemory memory, EduChannel channel) {
        this.execution = execution;
        this.memory = memory;
        this.channel = channel;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /**
     * Copies and compares.
     *
     * @return the report: two sums, bytes, pieces, time
     * @throws ErrnoException {@code EIO} the sums differ or the file cannot be read; {@code
     *     ENOMEM}; {@code ENODEV} the device left
     */
    String run(Path file) {
        long source = allocate();
        try {
            long target = allocate();
            try {
                copy(file, source, target);
            } finally {
                memory.pages().free(target, WINDOW_ORDER);
            }
        } finally {
            memory.pages().free(source, WINDOW_ORDER);
        }
        return report();
    }

    private long allocate() {
        PageAllocator pages = memory.pages();
        long at = pages.allocate(WINDOW_ORDER);
        if (at + WINDOW_BYTES > REACH) {
            pages.free(at, WINDOW_ORDER);
            throw new ErrnoException(
                    Errno.ENOMEM, "no free pages below 256 MiB, where the device's DMA ends");
        }
        return at;
    }

    private void copy(Path file, long source, long target) {
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            while (load(in) > 0) {
                int length = loaded.position();
                MemorySegment window = MemorySegment.ofArray(loaded.array());
                memory.write(source, window, 0, length);
                sourceSum.update(loaded.array(), 0, length);
                long start = execution.nanoTime();
                moveWindow(source, target, length);
                moving += execution.nanoTime() - start;
                memory.read(target, MemorySegment.ofArray(back), 0, length);
                targetSum.update(back, 0, length);
                bytes += length;
            }
        } catch (IOException e) {
            throw new ErrnoException(
                    Errno.EIO, "cannot read %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private int load(FileChannel in) throws IOException {
        loaded.clear();
        while (loaded.hasRemaining() && in.read(loaded) >= 0) {
            // until the window is full or the file ends
        }
        return loaded.position();
    }

    private void moveWindow(long source, long target, int length) {
        channel.copying().lock();
        try {
            channel.checkOpen();
            for (int at = 0; at < length; at += EduChannel.PIECE_BYTES) {
                int piece = Math.min(EduChannel.PIECE_BYTES, length - at);
                channel.move(source + at, target + at, piece);
                pieces++;
            }
        } finally {
            channel.copying().unlock();
        }
    }

    private String report() {
        String from = HexFormat.of().formatHex(sourceSum.digest());
        String to = HexFormat.of().formatHex(targetSum.digest());
        if (!from.equals(to)) {
            throw new ErrnoException(
                    Errno.EIO,
                    "the copy differs: source sha256 %s, destination sha256 %s"
                            .formatted(from, to));
        }
        double seconds = Math.max(1, moving) / 1e9;
        return """
        source      sha256 %s
        destination sha256 %s
        equal: %d bytes in %d pieces through %s, %.1f ms, %.1f MiB/s\
        """
                .formatted(
                        from,
                        to,
                        bytes,
                        pieces,
                        channel.function().slot(),
                        seconds * 1e3,
                        bytes / seconds / (1 << 20));
    }
}
