package org.peerlane.dmabuf.api;

/** The life of a mapping (section 13.1). */
public enum MappingState {
    /** The device may use it, once it has waited for the fences. */
    VALID,
    /** The buffer was invalidated; access that fences stand for may go on, none may begin. */
    STALE_BUSY,
    /** All of those fences have signaled: no write, and no read whose data anybody uses. */
    STALE_IDLE,
    /** Taken back: nothing. */
    UNMAPPED
}
