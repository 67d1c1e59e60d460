package org.peerlane.testkit.dmabuf;

/** What an exporter is asked for, or an importer told: where a {@link MockExporter} can fail. */
public enum Step {
    /** A device wants to use the buffer. */
    ATTACH,
    /** A device has gone. */
    DETACH,
    /** The storage is to stay where it is. */
    PIN,
    /** It may go again. */
    UNPIN,
    /** Addresses are wanted. */
    MAP,
    /** Addresses come back. */
    UNMAP,
    /** The CPU is about to use it. */
    BEGIN_CPU_ACCESS,
    /** The CPU has used it. */
    END_CPU_ACCESS,
    /** The last reference has gone. */
    RELEASE;

    /** {@return whether the kernel lets an exporter refuse it} */
    public boolean mayFail() {
        return this == ATTACH
                || this == PIN
                || this == MAP
                || this == BEGIN_CPU_ACCESS
                || this == END_CPU_ACCESS;
    }
}
