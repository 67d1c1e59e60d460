package org.peerlane.memory.core;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The sparse file that RAM is mapped from. It has no name any more once it is made, so that nothing
 * is left behind however the process ends.
 */
final class BackingFile implements AutoCloseable {
    private final FileChannel channel;
    private final Room room;

    private BackingFile(FileChannel channel, Room room) {
        this.channel = channel;
        this.room = room;
    }

    /**
     * Makes one in the first folder that has room for all of it; if none has, in the one with most.
     *
     * @throws ErrnoException {@code EIO} none of the folders takes a file
     */
    static BackingFile make(List<Path> folders, long bytes) {
        Path folder = choose(folders, BackingFile::usable, bytes);
        if (folder == null) {
            throw new ErrnoException(
                    Errno.EIO, "none of the folders %s takes a file for RAM".formatted(folders));
        }
        return make(folder, bytes);
    }

    /** {@return the first folder with room for all, else the one with most, else null} */
    static @Nullable Path choose(List<Path> folders, ToLongFunction<Path> usable, long bytes) {
        Path best = null;
        long most = -1;
        for (Path folder : folders) {
            long room = usable.applyAsLong(folder);
            if (room >= bytes + Room.MARGIN) {
                return folder;
            }
            if (room > most) {
                best = folder;
                most = room;
            }
        }
        return best;
    }

    /** {@return bytes, or -1 if no file can be made there} */
    private static long usable(Path folder) {
        try {
            return Files.isWritable(folder) ? Files.getFileStore(folder).getUsableSpace() : -1;
        } catch (IOException e) {
            return -1;
        }
    }

    private static BackingFile make(Path folder, long bytes) {
        try {
            Room room =
                    new Room(
                            folder.toString(),
                            () -> Files.getFileStore(folder).getUsableSpace(),
                            bytes);
            Path name = Files.createTempFile(folder, "peerlane-ram-", null); // for its owner only
            try {
                return new BackingFile(FileChannel.open(name, READ, WRITE), room);
            } finally {
                Files.delete(name);
            }
        } catch (IOException e) {
            throw new ErrnoException(
                    Errno.EIO,
                    "cannot make a file of %d bytes in %s for RAM: %s"
                            .formatted(bytes, folder, e.getMessage()),
                    e);
        }
    }

    Room room() {
        return room;
    }

    /**
     * {@return a part of the file as memory, for as long as the arena lives} The file grows to it,
     * by a hole.
     */
    MemorySegment map(long position, long bytes, Arena arena) {
        try {
            return channel.map(FileChannel.MapMode.READ_WRITE, position, bytes, arena);
        } catch (IOException e) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "cannot map %d bytes of RAM: %s".formatted(bytes, e.getMessage()),
                    e);
        }
    }

    /** What is mapped stays mapped. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new ErrnoException(Errno.EIO, "cannot close the file of RAM", e);
        }
    }
}
