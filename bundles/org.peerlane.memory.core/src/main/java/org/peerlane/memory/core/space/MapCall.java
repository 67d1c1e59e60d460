package org.peerlane.memory.core.space;

import static org.peerlane.memory.api.AddressSpace.END;
import static org.peerlane.memory.api.AddressSpace.FIRST;
import static org.peerlane.memory.api.AddressSpace.MAP_ANONYMOUS;
import static org.peerlane.memory.api.AddressSpace.MAP_FIXED;
import static org.peerlane.memory.api.AddressSpace.MAP_FIXED_NOREPLACE;
import static org.peerlane.memory.api.AddressSpace.MAP_POPULATE;
import static org.peerlane.memory.api.AddressSpace.MAP_PRIVATE;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;

import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.Mappable;

/** A checked {@code mmap()}: everything that does not depend on what is mapped already. */
record MapCall(
        long address,
        long bytes,
        Protection protection,
        int flags,
        @Nullable SharedObject object,
        long offset) {
    private static final int ALL_FLAGS =
            MAP_SHARED
                    | MAP_PRIVATE
                    | MAP_FIXED
                    | MAP_ANONYMOUS
                    | MAP_POPULATE
                    | MAP_FIXED_NOREPLACE;

    /** Checks in the kernel's order: length, flags, address, offset. */
    MapCall(
            long address,
            long bytes,
            int protection,
            int flags,
            @Nullable Mappable object,
            long offset) {
        this(
                address,
                checkLength(bytes),
                new Protection(protection),
                checkFlags(flags, object),
                (SharedObject) object,
                offset);
        if (isFixed()) {
            checkFixed();
        }
        checkOffset();
    }

    boolean isFixed() {
        return (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    }

    boolean replaces() {
        return (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == MAP_FIXED;
    }

    boolean isShared() {
        return (flags & MAP_SHARED) != 0;
    }

    private static long checkLength(long bytes) {
        if (bytes == 0) {
            throw new ErrnoException(Errno.EINVAL, "map of 0 bytes");
        }
        long rounded = bytes + Pte.PAGE_MASK & -Pte.PAGE;
        if (rounded <= 0 || rounded > END) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "map of %s bytes; expected at most 0x%x"
                            .formatted(Long.toUnsignedString(bytes), END));
        }
        return rounded;
    }

    private static int checkFlags(int flags, @Nullable Mappable object) {
        int sharing = flags & (MAP_SHARED | MAP_PRIVATE);
        if ((flags & ~ALL_FLAGS) != 0 || (sharing != MAP_SHARED && sharing != MAP_PRIVATE)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "map with flags 0x%x; expected either shared or private, and no bits but 0x%x"
                            .formatted(flags, ALL_FLAGS));
        }
        if ((flags & MAP_ANONYMOUS) != 0 != (object == null)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "map with flags 0x%x of %s; expected an object or anonymous memory"
                            .formatted(flags, object == null ? "nothing" : object.name()));
        }
        return flags;
    }

    private void checkFixed() {
        if ((address & Pte.PAGE_MASK) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "map at 0x%x; expected a multiple of 4096".formatted(address));
        }
        if (address < 0 || address > END - bytes) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "map of 0x%x bytes at 0x%x; expected an end at most at 0x%x"
                            .formatted(bytes, address, END));
        }
        if (address < FIRST) {
            throw new ErrnoException(
                    Errno.EPERM, "map at 0x%x; expected 0x%x or more".formatted(address, FIRST));
        }
    }

    private void checkOffset() {
        if ((offset & Pte.PAGE_MASK) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "map from offset %d; expected a multiple of 4096".formatted(offset));
        }
        if (offset < 0 || offset + bytes < 0) {
            throw new ErrnoException(
                    Errno.EOVERFLOW,
                    "map of %d bytes from offset %s is past 2^63"
                            .formatted(bytes, Long.toUnsignedString(offset)));
        }
    }

    /**
     * {@return the length in whole pages}
     *
     * @param pastEnd what the call answers for a range that is not in user memory
     */
    static long checkRange(String what, long address, long bytes, Errno pastEnd) {
        if ((address & Pte.PAGE_MASK) != 0 || bytes == 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s of %d bytes at 0x%x; expected a multiple of 4096, and some bytes"
                            .formatted(what, bytes, address));
        }
        long rounded = bytes + Pte.PAGE_MASK & -Pte.PAGE;
        if (address < 0 || rounded <= 0 || rounded > END || address > END - rounded) {
            throw new ErrnoException(
                    pastEnd,
                    "%s of %s bytes at 0x%x; expected an end at most at 0x%x"
                            .formatted(what, Long.toUnsignedString(bytes), address, END));
        }
        return rounded;
    }
}
