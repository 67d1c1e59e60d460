package org.peerlane.bus.api;

/** Bits and codes of page requests (PCIe 5.0 section 10.4, IM-15). */
public final class PageRequest {
    /** The device wants to read. */
    public static final int READ = 1;

    /** The device wants to write. */
    public static final int WRITE = 2;

    /** The last request of its group. */
    public static final int LAST = 4;

    /** Response: the translation may be tried again. */
    public static final int SUCCESS = 0;

    /** Response: the address is not accessible, for good. */
    public static final int INVALID = 1;

    /** Response: the device shall stop using page requests. */
    public static final int FAILURE = 15;

    private PageRequest() {}
}
