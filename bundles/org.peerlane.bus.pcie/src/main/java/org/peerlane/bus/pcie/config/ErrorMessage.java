package org.peerlane.bus.pcie.config;

/** The message that an error makes a function send to the root. */
public enum ErrorMessage {
    /** None: masked, or not to be reported. */
    NONE,
    /** ERR_COR: corrected, or nobody but its receiver need care. */
    CORRECTABLE,
    /** ERR_NONFATAL: a request is lost, the link is good. */
    NONFATAL,
    /** ERR_FATAL: the link is not to be trusted. */
    FATAL
}
