package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/** An IOMMU with a root complex, memory and one function. */
final class TestMachine implements AutoCloseable {
    static final PcieAddress ADDRESS = PcieAddress.parse("00:04.0");
    static final int REQUESTER = 0x20;
    static final int NONE = Iommu.NO_PASID;
    static final long PAGE = 4096;
    static final int RW = IommuDomain.READ | IommuDomain.WRITE;

    final Execution execution;
    final TestMemory memory = new TestMemory();
    final TestRoot root;
    final Tracer tracer;
    final IommuUnit iommu;
    final TestFunction function = new TestFunction(ADDRESS);
    private final List<EmulatedThread> engines = new ArrayList<>();

    TestMachine(Execution execution) {
        this(execution, IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT));
    }

    TestMachine(Execution execution, IommuSettings settings) {
        this.execution = execution;
        root = new TestRoot(execution);
        tracer = new Tracer(execution::nanoTime, execution.lock("test.tracer"));
        HardwareTables tables = new HardwareTables(execution, memory, true);
        iommu = new IommuUnit(execution, tracer, memory, root, settings, tables);
        root.iommu = iommu;
    }

    static TestMachine of(Execution execution, IommuSettings.Mode mode) {
        return new TestMachine(execution, IommuSettings.of(TableFormat.VTD_SECOND_STAGE, mode));
    }

    /** {@return a domain that nobody is in} */
    IommuDomain domain() {
        return iommu.newDomain(DomainSpec.of(TableFormat.VTD_SECOND_STAGE));
    }

    /** {@return a domain that the function is in} */
    IommuDomain attached() {
        IommuDomain domain = domain();
        iommu.attach(ADDRESS, NONE, domain);
        return domain;
    }

    DmaDevice dma() {
        return iommu.device(ADDRESS);
    }

    long read(long iova) {
        return root.where(REQUESTER, 0, iova, false);
    }

    long write(long iova) {
        return root.where(REQUESTER, 0, iova, true);
    }

    void engine(Runnable body) {
        engines.add(execution.start(ThreadKind.BLOCKING, "engine" + engines.size(), body));
    }

    /** Waits for all engines; what one threw fails the test. */
    void join() throws InterruptedException {
        for (EmulatedThread engine : engines) {
            engine.join();
            if (engine.failure().isPresent()) {
                throw new AssertionError(engine.failure().get());
            }
        }
        engines.clear();
    }

    /** Lets all threads run until they wait. */
    void settle() throws InterruptedException {
        execution.sleep(1_000_000);
    }

    <E extends TraceEvent> List<E> record(Class<E> type) {
        List<E> events = new ArrayList<>();
        tracer.attach(
                new TraceSink() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> other) {
                        return type.equals(other);
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        events.add(type.cast(event));
                    }
                });
        return events;
    }

    @Override
    public void close() {
        iommu.close();
    }
}
