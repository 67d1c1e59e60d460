package org.peerlane.dmabuf.api;

import java.lang.foreign.MemorySegment;

/**
 * Memory as the kernel addresses it. Kernel counterpart: {@code struct iosys_map} (DB-57).
 *
 * @param segment the bytes
 * @param isIoMemory whether they are a device's: then no unaligned access is promised
 */
public record IoSysMap(MemorySegment segment, boolean isIoMemory) {}
