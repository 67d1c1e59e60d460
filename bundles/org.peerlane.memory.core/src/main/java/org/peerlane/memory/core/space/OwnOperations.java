package org.peerlane.memory.core.space;

import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappingOperations;

/** Operations of the core itself, which know nothing but the bus error. */
enum OwnOperations implements MappingOperations {
    /** The object has retired. */
    RETIRED,
    /** Anonymous memory, whose faults are not asked here. */
    ANONYMOUS;

    @Override
    public FaultResult fault(Fault fault) {
        return FaultResult.BUS_ERROR;
    }
}
