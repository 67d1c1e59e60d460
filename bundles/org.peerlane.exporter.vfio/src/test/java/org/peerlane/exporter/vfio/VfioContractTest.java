package org.peerlane.exporter.vfio;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ExporterContract;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("What VFIO promises as an exporter")
class VfioContractTest implements ExporterContract {
    private final Passthrough machine = new Passthrough();
    private VfioFile file;

    @BeforeEach
    void open() {
        machine.plug("card", "sw0.0", 0, Passthrough.card());
        machine.plugUnbound("nvme0", "sw0.2", 0, Passthrough.card());
        file = machine.open("card");
    }

    @AfterEach
    void close() {
        file.put();
        machine.close();
    }

    @Override
    public DmaBufMachine machine() {
        return machine.machine();
    }

    @Override
    public DmaBuf export() {
        return file.dmaBuf(DmaBufRequest.of(2, 0x1000, 0x4000));
    }

    @Override
    public ImporterDevice device() {
        var function = machine.function("nvme0");
        var dma = machine.iommu.device(function.address());
        dma.mask(64);
        return ImporterDevice.of(function, dma);
    }

    @Override
    public boolean takesStaticImporters() {
        return false;
    }

    @Override
    public boolean canRevoke() {
        return true;
    }

    @Override
    public void revoke(DmaBuf buffer) {
        Passthrough.memory(file, false);
    }

    @Override
    public void unrevoke(DmaBuf buffer) {
        Passthrough.memory(file, true);
    }
}
