package org.peerlane.tests.fabric;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ImporterContract;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.testkit.dmabuf.MockImporter.Behaviour;
import org.peerlane.testkit.dmabuf.MockImporter.Kind;

@DisplayName("The mock keeps the importer's contract")
class MockImporterContractTest implements ImporterContract {
    private final LiveExecution execution = new LiveExecution("contract");
    private final DmaBufMachine machine = Mocks.machine(execution);
    final MockImporter importer = machine.importer("mock0", Kind.DYNAMIC);

    MockImporterContractTest() {
        importer.behave(Behaviour.PROMPT);
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
    public void take(DmaBuf buffer) {
        importer.attach(buffer);
    }

    @Override
    public void use() {
        importer.end();
        if (!importer.isMapped()) {
            importer.map(DmaDirection.BIDIRECTIONAL);
        }
        importer.begin(FenceUsage.BOOKKEEP);
    }

    @Override
    public void idle() {
        importer.end();
    }

    @Override
    public void release() {
        importer.detach();
    }

    @Override
    public boolean isDynamic() {
        return true;
    }
}
