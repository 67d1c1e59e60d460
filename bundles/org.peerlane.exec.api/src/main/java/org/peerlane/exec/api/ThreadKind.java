package org.peerlane.exec.api;

/** What a thread does, which decides what carries it. */
public enum ThreadKind {
    /** Blocks most of the time: a virtual thread. */
    BLOCKING,
    /** Polls or computes most of the time: a platform thread of its own. */
    POLLING
}
