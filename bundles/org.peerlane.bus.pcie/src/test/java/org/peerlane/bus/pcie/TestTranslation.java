package org.peerlane.bus.pcie;

import java.util.concurrent.atomic.AtomicInteger;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PageRequest;

/** An IOMMU with one mapping for all, IOVA 0 on, that takes translated requests as they come. */
final class TestTranslation implements DmaTranslation {
    final AtomicInteger asked = new AtomicInteger();

    /** Where IOVA 0 is; what is added per PASID. */
    volatile long base = TestMemory.BASE;

    volatile long bytes = TestMemory.BYTES;
    volatile int permissions = PageRequest.READ | PageRequest.WRITE;
    volatile long perPasid;

    @Override
    public int translate(int requester, int how, long address, boolean write, Target into) {
        if ((how & DmaAttributes.TRANSLATED) == 0) {
            return DmaResult.UNSUPPORTED_REQUEST;
        }
        into.physical = address;
        into.bytes = 4096 - address % 4096;
        into.generation = null;
        return DmaResult.OK;
    }

    @Override
    public int translationRequest(int from, int how, long address, int wanted, Target into) {
        asked.incrementAndGet();
        int pasid = DmaAttributes.pasid(how);
        into.physical = base + address + (pasid < 0 ? 0 : pasid * perPasid);
        into.bytes = address < bytes ? bytes - address : 0;
        into.permissions = permissions;
        return DmaResult.OK;
    }
}
