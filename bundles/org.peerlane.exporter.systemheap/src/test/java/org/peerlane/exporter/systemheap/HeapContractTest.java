package org.peerlane.exporter.systemheap;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ExporterContract;

@DisplayName("What the system heap promises as an exporter")
class HeapContractTest implements ExporterContract {
    private final HeapMachine machine = new HeapMachine(false);

    @AfterEach
    void close() {
        machine.close();
    }

    @Override
    public DmaBufMachine machine() {
        return machine.machine();
    }

    @Override
    public DmaBuf export() {
        return machine.heap.allocate(HeapMachine.bytes((1 << 20) + 0x3000));
    }

    @Override
    public ImporterDevice device() {
        return machine.device();
    }
}
