package org.peerlane.bus.pcie;

import java.util.Map;
import org.peerlane.bus.api.AtsPort;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.Tracer;

/** What a device is given. */
record SlotView(
        String name,
        Map<String, Object> options,
        DmaPort dma,
        InterruptPort interrupts,
        AtsPort ats,
        Execution execution,
        Tracer tracer)
        implements DeviceSlot {}
