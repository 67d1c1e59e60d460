package org.peerlane.device.gpu;

/** How a part of the engine's work ended. */
enum Outcome {
    /** As it should. */
    DONE,
    /** It did not happen: {@link Trouble} says why, and software will be told. */
    FAILED,
    /** A reset came: nobody wants to know any more. */
    OVER
}
