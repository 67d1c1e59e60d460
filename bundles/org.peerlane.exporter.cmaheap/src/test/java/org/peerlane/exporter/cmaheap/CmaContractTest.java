package org.peerlane.exporter.cmaheap;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ExporterContract;

@DisplayName("What the CMA heap promises as an exporter")
class CmaContractTest implements ExporterContract {
    private final CmaMachine cma = new CmaMachine(8);

    @AfterEach
    void close() {
        cma.close();
    }

    @Override
    public DmaBufMachine machine() {
        return cma.machine();
    }

    @Override
    public DmaBuf export() {
        return cma.allocate(300);
    }
}
