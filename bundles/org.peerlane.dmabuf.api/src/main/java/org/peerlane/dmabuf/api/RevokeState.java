package org.peerlane.dmabuf.api;

/** Whether an exporter has taken access away (RK-20, section 13.2). */
public enum RevokeState {
    /** Access is allowed. */
    OK,
    /** New access is refused; old access is being waited for. */
    REVOKING,
    /** Nobody has access; it may come back. */
    REVOKED,
    /** Nobody has access, and nobody ever will. */
    REVOKED_FOR_GOOD
}
