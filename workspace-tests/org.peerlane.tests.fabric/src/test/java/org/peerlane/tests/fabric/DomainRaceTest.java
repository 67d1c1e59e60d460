package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Domains against DMA")
class DomainRaceTest {
    private static final int OURS = 0x5A;
    private static final long IOVA = 0x4000_0000L;
    private static final int BOTH = IommuDomain.READ | IommuDomain.WRITE;

    @Explore(schedules = 10_000)
    @Rule("IM-4")
    @Rule("PT-51")
    void oncePutIntoAnotherDomainAFunctionWritesThere(Execution execution) {
        try (Rig rig = new Rig(execution, List.of(), true)) {
            Card card = rig.plug("card", "00:04.0");
            Iommu iommu = rig.iommu();
            PcieAddress me = rig.function("card").address();
            long one = rig.page(0);
            long two = rig.page(0);
            IommuDomain first = iommu.newDomain(iommu.defaultSpec());
            IommuDomain second = iommu.newDomain(iommu.defaultSpec());
            first.map(IOVA, one, 4096, BOTH);
            second.map(IOVA, two, 4096, BOTH);
            iommu.attach(me, Iommu.NO_PASID, first);
            EmulatedThread engine =
                    card.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            card.write(IOVA + i, 0xEE, 1);
                        }
                    });
            iommu.replace(me, Iommu.NO_PASID, second);
            byte[] then = rig.bytes(one);
            rig.fill(one, OURS);
            Rig.join(engine);
            card.read(IOVA, new byte[0]);
            rig.expect(one, OURS, "written to the domain before");
            for (int i = 0; i < 3; i++) { // each write to exactly one of the two
                assertThat(rig.at(two + i) == 0).isEqualTo(then[i] != 0);
            }
            iommu.detach(me, Iommu.NO_PASID);
            first.unmap(IOVA, 4096);
            second.unmap(IOVA, 4096);
            first.close();
            second.close();
        }
    }

    @Explore(schedules = 10_000)
    @Rule("IM-4")
    void ofTwoUnmapsOfOneMappingOneThrowsAndTheAddressIsFreeOnce(Execution execution) {
        try (Rig rig = new Rig(execution, List.of(), true)) {
            Card card = rig.plug("card", "00:04.0");
            DmaDevice dma = rig.iommu().device(rig.function("card").address());
            long page = rig.page(0);
            long iova = dma.map(page, 4096, DmaDirection.BIDIRECTIONAL, 0);
            AtomicInteger refused = new AtomicInteger();
            Runnable unmap =
                    () -> {
                        try {
                            dma.unmap(iova, 4096);
                        } catch (IllegalStateException e) {
                            refused.incrementAndGet();
                        }
                    };
            EmulatedThread engine = card.engine(() -> card.write(iova, 0xEE, 64));
            EmulatedThread other = rig.thread("other", unmap);
            unmap.run();
            Rig.join(other);
            rig.fill(page, OURS);
            Rig.join(engine);
            card.read(iova, new byte[0]);
            rig.expect(page, OURS, "written after both");
            assertThat(refused).hasValue(1);
            long again = dma.map(page, 4096, DmaDirection.BIDIRECTIONAL, 0);
            long more = dma.map(page, 4096, DmaDirection.BIDIRECTIONAL, 0);
            assertThat(again).isNotEqualTo(more);
            dma.unmap(again, 4096);
            dma.unmap(more, 4096);
        }
    }
}
