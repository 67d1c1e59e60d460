package org.peerlane.bus.api;

import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.Tracer;

/** What a device is given by whatever it is plugged into. */
@ProviderType
public interface DeviceSlot {
    /** {@return the slot's name on the board, such as {@code edu0}; prefix of thread names} */
    String name();

    /** {@return the options that the board gives, checked against the type's metatype} */
    Map<String, Object> options();

    /** {@return the device's way to memory and to its peers} */
    DmaPort dma();

    /** {@return the device's way to the CPU} */
    InterruptPort interrupts();

    /** {@return the device's way to the IOMMU, for a TLB of its own} */
    AtsPort ats();

    /** {@return threads, time and locks for the device} */
    Execution execution();

    /** {@return where the device reports what it does} */
    Tracer tracer();
}
