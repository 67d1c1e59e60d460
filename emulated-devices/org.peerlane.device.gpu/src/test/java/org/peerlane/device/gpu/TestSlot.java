package org.peerlane.device.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.AtsPort;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/** A slot whose bus is some RAM at 0, and whose CPU notes interrupts. */
final class TestSlot implements DeviceSlot, DmaPort, InterruptPort, TraceSink {
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final MemorySegment ram;
    final List<Integer> interrupts = Collections.synchronizedList(new ArrayList<>());
    final List<TraceEvent> events = Collections.synchronizedList(new ArrayList<>());
    final Execution execution;
    private final Map<String, Object> options;
    private final Tracer tracer;
    private final Checkpoint onTheWay;

    /** What the bus answers to every request; anything but OK moves nothing. */
    volatile int status = DmaResult.OK;

    /** Called before each request is answered. */
    volatile @Nullable Runnable onRequest;

    TestSlot(Execution execution, int ramBytes, Map<String, Object> options) {
        this.execution = execution;
        this.options = options;
        ram = MemorySegment.ofArray(new byte[ramBytes]);
        onTheWay = execution.checkpoint("test.bus.on-the-way");
        tracer = new Tracer(System::nanoTime, execution.lock("tracer"));
        tracer.attach(this);
    }

    long word(long address) {
        return ram.get(LE_LONG, address);
    }

    void word(long address, long value) {
        ram.set(LE_LONG, address, value);
    }

    @Override
    public String name() {
        return "gpu0";
    }

    @Override
    public Map<String, Object> options() {
        return options;
    }

    @Override
    public DmaPort dma() {
        return this;
    }

    @Override
    public InterruptPort interrupts() {
        return this;
    }

    @Override
    public Execution execution() {
        return execution;
    }

    @Override
    public Tracer tracer() {
        return tracer;
    }

    /** Listens to no event any more. */
    void ignoreEvents() {
        tracer.detach(this);
    }

    private boolean answers(long address, long length) {
        Runnable action = onRequest;
        if (action != null) {
            action.run();
        }
        onTheWay.reached();
        return status == DmaResult.OK && address >= 0 && address <= ram.byteSize() - length;
    }

    @Override
    public long read(long address, int attributes, MemorySegment local, long offset, long length) {
        if (!answers(address, length)) {
            return DmaResult.of(status == 0 ? DmaResult.UNSUPPORTED_REQUEST : status, 0);
        }
        MemorySegment.copy(ram, address, local, offset, length);
        return DmaResult.of(DmaResult.OK, length);
    }

    @Override
    public long write(long address, int attributes, MemorySegment local, long offset, long length) {
        if (!answers(address, length)) {
            return DmaResult.of(status, 0); // posted: nobody learns of a bad target
        }
        MemorySegment.copy(local, offset, ram, address, length);
        return DmaResult.of(DmaResult.OK, length);
    }

    @Override
    public int raise(int vector) {
        interrupts.add(vector);
        return DmaResult.OK;
    }

    @Override
    public boolean wants(Class<? extends TraceEvent> type) {
        return true;
    }

    @Override
    public void accept(long nanos, TraceEvent event) {
        events.add(event);
    }

    @Override
    public AtsPort ats() {
        throw new AssertionError("the card has no ATS");
    }
}
