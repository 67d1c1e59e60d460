package org.peerlane.memory.core;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Keeps emulated RAM from outgrowing the file system behind it: a store into a mapped page for
 * which there is no room is a signal to the JVM, not an error to the guest.
 *
 * <p><b>Model.</b> What may be touched is claimed, and never given back, because a page touched
 * once stays in the file. All claims together stay below what was usable at the start, and what is
 * usable now stays above the claim, each less a margin. The file system is asked only once per
 * grant; grants grow with what is claimed.
 *
 * <p><b>Not modelled.</b> Room that others take later, and pages that a device writes although
 * nobody allocated them; the margin is for these. <b>Threads.</b> The owner locks.
 */
final class Room {
    /** Asks a file system how many bytes it has left. */
    @FunctionalInterface
    interface Usable {
        long bytes() throws IOException;
    }

    /** What is left to others and to the unforeseen. */
    static final long MARGIN = 64L << 20;

    private static final long FIRST_GRANT = 16L << 20;

    private final String place;
    private final Usable usable;
    private final long budget;
    private long claimed;
    private long granted;

    /**
     * Asks for the first time.
     *
     * @param place for messages
     * @param usable the file system
     * @param limit the most that will ever be claimed
     */
    Room(String place, Usable usable, long limit) {
        this.place = place;
        this.usable = usable;
        budget = Math.min(limit, ask() - MARGIN);
    }

    String place() {
        return place;
    }

    /** {@return whether there is room for so many bytes more, now claimed} */
    boolean claim(long bytes) {
        long wanted = claimed + bytes;
        if (wanted > granted && !grant(wanted)) {
            return false;
        }
        claimed = wanted;
        return true;
    }

    private boolean grant(long wanted) {
        if (wanted > budget) {
            return false;
        }
        long step = Math.max(FIRST_GRANT, claimed / 8);
        long generous = Math.min(budget, wanted + step);
        long left = ask() - MARGIN;
        if (generous - claimed <= left) {
            granted = generous;
        } else if (wanted - claimed <= left) {
            granted = wanted;
        } else {
            return false;
        }
        return true;
    }

    private long ask() {
        try {
            return usable.bytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot ask " + place + " for its room", e);
        }
    }
}
