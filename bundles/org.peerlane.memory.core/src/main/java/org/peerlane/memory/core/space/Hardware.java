package org.peerlane.memory.core.space;

import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.memory.api.PhysicalMemory;

/** What all address spaces share. */
final class Hardware {
    final Execution execution;
    final PhysicalMemory memory;
    final AccessGate gate;
    final PhysicalMap map;
    final PageRefs refs;

    /** An access has its physical address and has not yet touched it. */
    final Checkpoint translated;

    /** A fault has found its mapping and has not yet asked the handler. */
    final Checkpoint faulting;

    /** Entries are cleared and accesses that began before are not yet over. */
    final Checkpoint cleared;

    Hardware(Execution execution, PhysicalMemory memory) {
        this.execution = execution;
        this.memory = memory;
        gate = new AccessGate(execution);
        map = new PhysicalMap(execution, memory, gate);
        refs = new PageRefs(memory.pages(), map.ram());
        translated = execution.checkpoint("memory.access.translated");
        faulting = execution.checkpoint("memory.fault.found");
        cleared = execution.checkpoint("memory.zap.cleared");
    }
}
