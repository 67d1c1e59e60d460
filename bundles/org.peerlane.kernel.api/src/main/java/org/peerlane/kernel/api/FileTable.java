package org.peerlane.kernel.api;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors of one process. Kernel counterpart: {@code struct files_struct}.
 *
 * <p><b>Life.</b> Until {@link #closeAll}, which leaves it empty and usable.
 *
 * <p><b>Threads.</b> Any, without a lock. A descriptor that another thread closes meanwhile is
 * either got whole or is {@code EBADF}.
 */
public final class FileTable {
    /** How many descriptors a process has that does not say: {@code RLIMIT_NOFILE}. */
    public static final int DEFAULT_LIMIT = 1024;

    private final String process;
    private final AtomicReferenceArray<@Nullable OpenFile> files;

    /** A table of the usual size. */
    public FileTable(String process) {
        this(process, DEFAULT_LIMIT);
    }

    /**
     * @param process for messages
     * @param limit the most descriptors, at least 1
     */
    public FileTable(String process, int limit) {
        if (limit < 1) {
            throw new ErrnoException(
                    Errno.EINVAL, "a limit of " + limit + " descriptors; expected at least 1");
        }
        this.process = process;
        files = new AtomicReferenceArray<>(limit);
    }

    /**
     * Gives a file the lowest free number; the caller's reference goes with it.
     *
     * @throws ErrnoException {@code EMFILE} all are taken: the reference stays the caller's
     */
    public int install(OpenFile file) {
        for (int fd = 0; fd < files.length(); fd++) {
            if (files.get(fd) == null && files.compareAndSet(fd, null, file)) {
                return fd;
            }
        }
        throw new ErrnoException(
                Errno.EMFILE,
                "%s has all of its %d descriptors in use".formatted(process, files.length()));
    }

    /**
     * {@return the file behind a number, with one reference, the caller's}
     *
     * @throws ErrnoException {@code EBADF} there is none
     */
    @SuppressWarnings("ReferenceEquality") // the very file, not one like it
    public OpenFile get(int fd) {
        while (true) {
            OpenFile file = fd < 0 || fd >= files.length() ? null : files.get(fd);
            if (file == null) {
                throw bad(fd);
            }
            if (file.getUnlessZero()) {
                if (files.get(fd) == file) {
                    return file;
                }
                file.put(); // closed, maybe taken anew, since it was read
            }
        }
    }

    /**
     * Gives the file behind a number a second one.
     *
     * @throws ErrnoException {@code EBADF}, {@code EMFILE}
     */
    public int duplicate(int fd) {
        OpenFile file = get(fd);
        try {
            return install(file);
        } catch (ErrnoException e) {
            file.put();
            throw e;
        }
    }

    /**
     * Frees a number, and the reference with it.
     *
     * @throws ErrnoException {@code EBADF} there is nothing behind it
     */
    public void close(int fd) {
        OpenFile file = fd < 0 || fd >= files.length() ? null : files.getAndSet(fd, null);
        if (file == null) {
            throw bad(fd);
        }
        file.put();
    }

    /** Frees all numbers: the process has ended. */
    public void closeAll() {
        for (int fd = 0; fd < files.length(); fd++) {
            OpenFile file = files.getAndSet(fd, null);
            if (file != null) {
                file.put();
            }
        }
    }

    /** {@return how many numbers are taken} */
    public int count() {
        int taken = 0;
        for (int fd = 0; fd < files.length(); fd++) {
            if (files.get(fd) != null) {
                taken++;
            }
        }
        return taken;
    }

    private ErrnoException bad(int fd) {
        return new ErrnoException(
                Errno.EBADF, "%s has no open descriptor %d".formatted(process, fd));
    }
}
