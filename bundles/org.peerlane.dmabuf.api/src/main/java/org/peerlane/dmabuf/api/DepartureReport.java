package org.peerlane.dmabuf.api;

import java.util.List;

/**
 * What became of a bundle's buffers and attachments when it left, or of a device's.
 *
 * @param who the bundle, or the device
 * @param nanos how long it took
 * @param buffers buffers of it that were revoked for good
 * @param attachments attachments that were taken back for it
 * @param mappings mappings that were taken back by the core, from it or from those who were late
 * @param fences fences that were signaled with an error
 * @param quarantined slots of devices that were cut off
 * @param unfinished what could not be done in time, a sentence each: it goes on when whoever is in
 *     its way lets go
 */
public record DepartureReport(
        String who,
        long nanos,
        int buffers,
        int attachments,
        int mappings,
        int fences,
        List<String> quarantined,
        List<String> unfinished) {}
