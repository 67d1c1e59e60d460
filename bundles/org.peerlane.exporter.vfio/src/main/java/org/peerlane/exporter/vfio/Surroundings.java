package org.peerlane.exporter.vfio;

import org.peerlane.bus.api.PcieBus;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpaces;

/** What every function here needs of the machine. */
final class Surroundings {
    final Execution execution;
    final PcieBus bus;
    final DmaBufs dmabufs;
    final AddressSpaces spaces;
    final Profile profile;

    /** Memory has been zapped and revoked, and is about to be switched off. */
    final Checkpoint beforeHardware;

    /** A buffer has been made, and its function does not know it yet. */
    final Checkpoint beforeLinked;

    /** A touch has found memory on, and its page is not in the table yet. */
    final Checkpoint beforeInserted;

    Surroundings(
            Execution execution,
            PcieBus bus,
            DmaBufs dmabufs,
            AddressSpaces spaces,
            Profile profile) {
        this.execution = execution;
        this.bus = bus;
        this.dmabufs = dmabufs;
        this.spaces = spaces;
        this.profile = profile;
        beforeHardware = execution.checkpoint("vfio.disable.before-hardware");
        beforeLinked = execution.checkpoint("vfio.export.before-linked");
        beforeInserted = execution.checkpoint("vfio.fault.before-inserted");
    }
}
