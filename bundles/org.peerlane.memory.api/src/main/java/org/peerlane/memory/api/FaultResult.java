package org.peerlane.memory.api;

/** How a fault ended. Kernel counterpart: {@code vm_fault_t}. */
public enum FaultResult {
    /** The entry is there: try again. {@code VM_FAULT_NOPAGE}. */
    DONE,
    /** The fault has to be taken anew, for example after {@link Fault#release}. */
    RETRY,
    /** There is nothing behind the address. {@code VM_FAULT_SIGBUS}. */
    BUS_ERROR,
    /** There is no mapping, or none that allows this. {@code VM_FAULT_SIGSEGV}. */
    SEGMENTATION_FAULT,
    /** A page or a page table could not be had. {@code VM_FAULT_OOM}. */
    OUT_OF_MEMORY
}
