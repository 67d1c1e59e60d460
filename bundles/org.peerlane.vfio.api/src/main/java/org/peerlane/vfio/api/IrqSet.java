package org.peerlane.vfio.api;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.EventFd;

/**
 * What VFIO_DEVICE_SET_IRQS is asked to do.
 *
 * @param flags one of {@link #NONE}, {@link #BOOL}, {@link #EVENTFD}, and one of {@link #MASK},
 *     {@link #UNMASK}, {@link #TRIGGER}
 * @param index which kind of interrupts
 * @param start the first vector
 * @param count how many
 * @param events with {@link #EVENTFD}: one for each, null for none
 * @param bools with {@link #BOOL}: for each whether it is meant
 */
public record IrqSet(
        int flags,
        int index,
        int start,
        int count,
        List<@Nullable EventFd> events,
        List<Boolean> bools) {
    /** No data: all of the vectors are meant. */
    public static final int NONE = 1;

    /** A byte for each vector. */
    public static final int BOOL = 2;

    /** An eventfd for each vector. */
    public static final int EVENTFD = 4;

    /** Interrupts are held back. */
    public static final int MASK = 8;

    /** They come again. */
    public static final int UNMASK = 16;

    /** Set up, or caused by software. */
    public static final int TRIGGER = 32;

    /** {@return without data} */
    public static IrqSet none(int action, int index, int start, int count) {
        return new IrqSet(NONE | action, index, start, count, List.of(), List.of());
    }

    /** {@return with an eventfd, or null, for each vector from {@code start} on} */
    public static IrqSet events(int action, int index, int start, @Nullable EventFd... events) {
        return new IrqSet(
                EVENTFD | action, index, start, events.length, Arrays.asList(events), List.of());
    }
}
