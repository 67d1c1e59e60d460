package org.peerlane.tests.fabric;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ExporterContract;
import org.peerlane.testkit.dmabuf.MockExporter;

@DisplayName("The mock keeps the exporter's contract")
class MockExporterContractTest implements ExporterContract {
    private final LiveExecution execution = new LiveExecution("contract");
    private final DmaBufMachine machine = Mocks.machine(execution);
    private final MockExporter exporter =
            new MockExporter(machine.bundles().apply("mock.exporter"), execution, 0x4000);

    MockExporter exporter() {
        return exporter;
    }

    @AfterEach
    void stop() {
        execution.close();
    }

    @Override
    public DmaBufMachine machine() {
        return machine;
    }

    @Override
    public DmaBuf export() {
        return exporter.buffer();
    }

    @Override
    public boolean canMove() {
        return true;
    }

    @Override
    public void move(DmaBuf buffer) {
        exporter.move();
    }

    @Override
    public boolean canRevoke() {
        return true;
    }

    @Override
    public void revoke(DmaBuf buffer) {
        exporter.revoke(false);
    }

    @Override
    public void unrevoke(DmaBuf buffer) {
        exporter.unrevoke();
    }
}
