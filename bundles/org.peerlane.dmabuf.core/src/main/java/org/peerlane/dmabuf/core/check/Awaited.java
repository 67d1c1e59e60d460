package org.peerlane.dmabuf.core.check;

import java.util.List;

/**
 * Something that a thread waits for and that is not a lock: a fence, or that all mappings have been
 * taken back.
 *
 * <p><b>Threads.</b> Any; nothing here takes a lock or waits.
 */
public interface Awaited {
    /** {@return what it is, in a few words, such as {@code fence 5:1 of gpu}} */
    String describe();

    /** {@return the same with all that helps people, such as names that its issuer gives} */
    default String forPeople() {
        return describe();
    }

    /** {@return the bundle that has to end it} */
    String owner();

    /** {@return whether it has ended} */
    boolean isOver();

    /** {@return what has to come before its end, as far as that is known: each of them} */
    List<Need> needs();
}
