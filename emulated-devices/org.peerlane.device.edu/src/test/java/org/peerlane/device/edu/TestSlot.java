package org.peerlane.device.edu;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.peerlane.bus.api.AtsPort;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.WatchedExecution;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/** A slot whose bus is 64 KiB of RAM at 0, and whose CPU counts interrupts. */
final class TestSlot implements DeviceSlot, DmaPort, InterruptPort, TraceSink {
    final byte[] ram = new byte[64 << 10];
    final Semaphore interrupts = new Semaphore(0);
    final List<TraceEvent> events = new CopyOnWriteArrayList<>();
    final List<Long> addresses = new CopyOnWriteArrayList<>();
    final WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
    private final Map<String, Object> options;
    private final Tracer tracer = new Tracer(System::nanoTime, execution.lock("tracer"));

    /** What the bus answers to every request; anything but OK moves nothing. */
    volatile int status = DmaResult.OK;

    TestSlot(Map<String, Object> options) {
        this.options = options;
        tracer.attach(this);
    }

    /** Waits for one interrupt, with a limit. */
    boolean interrupted() throws InterruptedException {
        return interrupts.tryAcquire(10, TimeUnit.SECONDS);
    }

    @Override
    public String name() {
        return "edu0";
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
    public WatchedExecution execution() {
        return execution;
    }

    @Override
    public Tracer tracer() {
        return tracer;
    }

    @Override
    public long read(long address, int attributes, MemorySegment local, long offset, long length) {
        addresses.add(address);
        if (status != DmaResult.OK || address < 0 || address + length > ram.length) {
            return DmaResult.of(status == 0 ? DmaResult.UNSUPPORTED_REQUEST : status, 0);
        }
        MemorySegment.copy(MemorySegment.ofArray(ram), address, local, offset, length);
        return DmaResult.of(DmaResult.OK, length);
    }

    @Override
    public long write(long address, int attributes, MemorySegment local, long offset, long length) {
        addresses.add(address);
        if (status != DmaResult.OK || address < 0 || address + length > ram.length) {
            return DmaResult.of(status, 0); // posted: nobody learns of a bad target
        }
        MemorySegment.copy(local, offset, MemorySegment.ofArray(ram), address, length);
        return DmaResult.of(DmaResult.OK, length);
    }

    @Override
    public int raise(int vector) {
        interrupts.release();
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
        throw new AssertionError("the device has no TLB");
    }
}
