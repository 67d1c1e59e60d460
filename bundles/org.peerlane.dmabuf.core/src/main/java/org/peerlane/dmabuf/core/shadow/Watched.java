package org.peerlane.dmabuf.core.shadow;

import org.peerlane.dmabuf.api.MappingState;

/**
 * A mapping, as the index asks for it on the way of a request.
 *
 * <p><b>Threads.</b> Any, inside of transactions: takes no lock, calls no plugin.
 */
public interface Watched {
    /** {@return where in its life it is, by fences that have been seen to signal} */
    MappingState seen();

    /**
     * A device access through it begins.
     *
     * @return whether none may begin any more: its importer has been told, and has no fence that
     *     stands for work which had begun before
     */
    boolean begins();

    /** {@return what a report says of it, as of now} */
    Facts facts();
}
