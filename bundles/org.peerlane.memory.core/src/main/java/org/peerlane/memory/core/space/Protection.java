package org.peerlane.memory.core.space;

import static org.peerlane.memory.api.AddressSpace.PROT_EXEC;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.api.AddressSpace.PROT_WRITE;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What a mapping allows.
 *
 * @param bits a sum of {@code PROT_READ} and the like
 */
record Protection(int bits) {
    private static final int ALL = PROT_READ | PROT_WRITE | PROT_EXEC;

    Protection {
        if ((bits & ~ALL) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "protection 0x%x; expected bits of 0x%x".formatted(bits, ALL));
        }
    }

    /**
     * {@return whether a load or a store is allowed; on x86 whatever allows anything allows loads}
     */
    boolean allows(boolean write) {
        return write ? (bits & PROT_WRITE) != 0 : bits != 0;
    }

    /** {@return the bits of a new entry} */
    long entry(boolean writable) {
        long entry = Pte.USER | (bits == 0 ? Pte.NONE : Pte.PRESENT);
        if (writable && allows(true)) {
            entry |= Pte.WRITABLE;
        }
        return (bits & PROT_EXEC) == 0 ? entry | Pte.NO_EXECUTE : entry;
    }

    /** {@return an entry with this protection; stores it did not allow still fault first} */
    long apply(long entry) {
        long now = entry & ~(Pte.NO_EXECUTE | Pte.NONE | Pte.PRESENT);
        if (!allows(true)) {
            now &= ~Pte.WRITABLE;
        }
        return now | entry(false);
    }
}
