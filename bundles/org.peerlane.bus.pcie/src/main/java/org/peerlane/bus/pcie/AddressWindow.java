package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;

/** Bus addresses that BARs are assigned from: first fit, aligned to the BAR's size. */
final class AddressWindow {
    private final long first;
    private final long last;

    /** By address. */
    private final List<Piece> taken = new ArrayList<>();

    private record Piece(long first, long last, Object owner) {}

    AddressWindow(long first, long last) {
        this.first = first;
        this.last = last;
    }

    /**
     * {@return where the BAR goes, or 0: there is no room}
     *
     * @param bytes a power of two
     */
    long take(long bytes, Object owner) {
        long at = align(first, bytes);
        int index = 0;
        while (index < taken.size() && taken.get(index).first <= at + bytes - 1) {
            if (taken.get(index).last >= at) {
                at = align(taken.get(index).last + 1, bytes);
            }
            index++;
        }
        if (at < first || at + bytes - 1 > last || at + bytes < at) {
            return 0;
        }
        taken.add(index, new Piece(at, at + bytes - 1, owner));
        return at;
    }

    private static long align(long at, long bytes) {
        return at + bytes - 1 & -bytes;
    }

    /** Everything that {@code owner} took is free again. */
    void giveBack(Object owner) {
        taken.removeIf(piece -> piece.owner == owner);
    }

    @Override
    public String toString() {
        return "0x%x-0x%x".formatted(first, last);
    }
}
