package org.peerlane.exporter.udmabuf;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.Udmabuf.Item;
import org.peerlane.memory.api.Memfd;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ExporterContract;

@DisplayName("What udmabuf promises as an exporter")
class UdmabufContractTest implements ExporterContract {
    private final UdmabufMachine udmabuf = new UdmabufMachine();

    @AfterEach
    void close() {
        udmabuf.close();
    }

    @Override
    public DmaBufMachine machine() {
        return udmabuf.machine();
    }

    @Override
    public DmaBuf export() {
        udmabuf.memfd(5 * UdmabufMachine.PAGE, Memfd.F_SEAL_SHRINK);
        return udmabuf.create(
                new Item(udmabuf.last(), UdmabufMachine.PAGE, 3 * UdmabufMachine.PAGE));
    }
}
