package org.peerlane.memory.core.space;

import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappingOperations;

/** What stands in for the operations of an object that has retired: a bus error. */
enum Retired implements MappingOperations {
    OPERATIONS;

    @Override
    public FaultResult fault(Fault fault) {
        return FaultResult.BUS_ERROR;
    }
}
