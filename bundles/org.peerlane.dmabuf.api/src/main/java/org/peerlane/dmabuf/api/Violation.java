package org.peerlane.dmabuf.api;

import org.peerlane.trace.api.TraceEvent;

/**
 * Somebody broke a rule of the contract, and it was seen. Nothing is blocked, redirected or
 * repaired because of it.
 *
 * @param rule its id in the reference, such as {@code CK-16}
 * @param severity how bad
 * @param owner the bundle whose code did it
 * @param buffer the buffer's id; 0 for none
 * @param attachment the attachment's id; 0 for none
 * @param mapping the mapping's id; 0 for none
 * @param thread on which thread
 * @param sentence what was done, and what is right
 */
public record Violation(
        String rule,
        Severity severity,
        String owner,
        long buffer,
        long attachment,
        long mapping,
        String thread,
        String sentence)
        implements TraceEvent {
    /** What comes of it. */
    public enum Severity {
        /** Corruption, use after free, deadlock. */
        FATAL,
        /** Wrong. */
        WRONG,
        /** Worth a look. */
        HINT
    }
}
