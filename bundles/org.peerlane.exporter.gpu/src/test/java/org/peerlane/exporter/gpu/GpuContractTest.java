package org.peerlane.exporter.gpu;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.ExporterContract;

@DisplayName("What the GPU's driver promises as an exporter")
class GpuContractTest implements ExporterContract {
    private final LiveExecution execution = new LiveExecution("gpu");
    private final GpuMachine machine = new GpuMachine(execution);
    private Card gpu;

    @BeforeEach
    void plug() {
        gpu = machine.plug("gpu0", 0);
        machine.plugUndriven("peer", 1);
        machine.direct();
    }

    @AfterEach
    void close() {
        machine.close();
        execution.close();
    }

    @Override
    public DmaBufMachine machine() {
        return machine.machine();
    }

    @Override
    public DmaBuf export() {
        try (GpuBuffer buffer = gpu.allocate(GpuAllocation.of(0x4000))) {
            return buffer.export(ExportInfo.O_RDWR);
        }
    }

    @Override
    public ImporterDevice device() {
        return machine.device("peer");
    }

    @Override
    public boolean canMove() {
        return true;
    }

    @Override
    public void move(DmaBuf buffer) {
        try (GpuBuffer own = gpu.importBuffer(buffer)) {
            own.move(own.placement() == Placement.VRAM ? Placement.GTT : Placement.VRAM);
            own.reservation().waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
        }
    }
}
