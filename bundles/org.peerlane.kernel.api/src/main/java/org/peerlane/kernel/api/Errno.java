package org.peerlane.kernel.api;

/**
 * Linux error numbers on x86-64: the ones that the emulated calls answer.
 *
 * <p><b>Source.</b> {@code include/uapi/asm-generic/errno-base.h} and {@code errno.h}; {@code
 * ERESTARTSYS} from {@code include/linux/errno.h}. EDEADLOCK is the same number as {@link
 * #EDEADLK}.
 */
public enum Errno {
    /** Operation not permitted. */
    EPERM(1, "operation not permitted"),
    /** No such object. */
    ENOENT(2, "no such object"),
    /** Interrupted. */
    EINTR(4, "interrupted"),
    /** Input/output error. */
    EIO(5, "input/output error"),
    /** No such device or address. */
    ENXIO(6, "no such device or address"),
    /** Argument too big. */
    E2BIG(7, "argument too big"),
    /** Bad file descriptor. */
    EBADF(9, "bad file descriptor"),
    /** Try again. */
    EAGAIN(11, "try again"),
    /** Out of memory. */
    ENOMEM(12, "out of memory"),
    /** Permission denied. */
    EACCES(13, "permission denied"),
    /** Bad address. */
    EFAULT(14, "bad address"),
    /** Busy. */
    EBUSY(16, "busy"),
    /** Exists already. */
    EEXIST(17, "exists already"),
    /** No such device. */
    ENODEV(19, "no such device"),
    /** Not a directory. */
    ENOTDIR(20, "not a directory"),
    /** Is a directory. */
    EISDIR(21, "is a directory"),
    /** Invalid argument. */
    EINVAL(22, "invalid argument"),
    /** Too many open files in the system. */
    ENFILE(23, "too many open files in the system"),
    /** Too many open files. */
    EMFILE(24, "too many open files"),
    /** No such call on this object. */
    ENOTTY(25, "no such call on this object"),
    /** File too large. */
    EFBIG(27, "file too large"),
    /** No space left. */
    ENOSPC(28, "no space left"),
    /** Illegal seek. */
    ESPIPE(29, "illegal seek"),
    /** Read-only. */
    EROFS(30, "read-only"),
    /** Out of range. */
    ERANGE(34, "out of range"),
    /** Would deadlock. */
    EDEADLK(35, "would deadlock"),
    /** Name too long. */
    ENAMETOOLONG(36, "name too long"),
    /** No such function. */
    ENOSYS(38, "no such function"),
    /** Invalid exchange. */
    EBADE(52, "invalid exchange"),
    /** No data. */
    ENODATA(61, "no data"),
    /** Timer expired. */
    ETIME(62, "timer expired"),
    /** Protocol error. */
    EPROTO(71, "protocol error"),
    /** Bad message. */
    EBADMSG(74, "bad message"),
    /** Value too large. */
    EOVERFLOW(75, "value too large"),
    /** Descriptor of the wrong kind. */
    EBADFD(77, "descriptor of the wrong kind"),
    /** Illegal byte sequence. */
    EILSEQ(84, "illegal byte sequence"),
    /** Message too long. */
    EMSGSIZE(90, "message too long"),
    /** Operation not supported. */
    EOPNOTSUPP(95, "operation not supported"),
    /** Address in use. */
    EADDRINUSE(98, "address in use"),
    /** No buffer space. */
    ENOBUFS(105, "no buffer space"),
    /** Timed out. */
    ETIMEDOUT(110, "timed out"),
    /** In progress already. */
    EALREADY(114, "in progress already"),
    /** In progress. */
    EINPROGRESS(115, "in progress"),
    /** Stale handle. */
    ESTALE(116, "stale handle"),
    /** Remote input/output error. */
    EREMOTEIO(121, "remote input/output error"),
    /** Cancelled. */
    ECANCELED(125, "cancelled"),
    /** Memory page has a hardware error. */
    EHWPOISON(133, "memory page has a hardware error"),
    /** Restart the call (never seen by a process). */
    ERESTARTSYS(512, "restart the call (never seen by a process)");

    private final int number;
    private final String text;

    Errno(int number, String text) {
        this.number = number;
        this.text = text;
    }

    /** {@return the positive number, as in {@code errno}} */
    public int number() {
        return number;
    }

    /** {@return what the number means, in a few words} */
    public String text() {
        return text;
    }

    /**
     * Finds an error number.
     *
     * @param number positive, as in {@code errno}
     * @throws IllegalArgumentException no error here has this number
     */
    public static Errno of(int number) {
        for (Errno e : values()) {
            if (e.number == number) {
                return e;
            }
        }
        throw new IllegalArgumentException("no errno has the number " + number);
    }
}
