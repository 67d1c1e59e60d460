package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.DomainInfo;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDebug;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.api.TableWalk;
import org.peerlane.iommu.core.table.Look;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.iommu.core.table.Usage;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;

/** Reports of what an IOMMU holds. <b>Threads.</b> Any. */
final class Inspection implements IommuDebug {
    private final ContextTable table;
    private final Contexts contexts;
    private final Faults faults;

    Inspection(ContextTable table, Contexts contexts, Faults faults) {
        this.table = table;
        this.contexts = contexts;
        this.faults = faults;
    }

    @Override
    public List<DomainInfo> domains() {
        List<DomainInfo> all = new ArrayList<>();
        for (Domain domain : List.of(contexts.identity, contexts.blocked)) {
            if (!domain.attached().isEmpty()) {
                all.add(info(domain));
            }
        }
        contexts.domains().forEach(domain -> all.add(info(domain)));
        return all;
    }

    private static DomainInfo info(Domain domain) {
        Attached now = domain.attached();
        List<DomainInfo.Attachment> attached = new ArrayList<>();
        for (int i = 0; i < now.by.length; i++) {
            attached.add(new DomainInfo.Attachment(now.by[i].address, now.pasids[i]));
        }
        PageTable pages = domain.table();
        Usage usage = pages == null ? new Usage(0, 0) : pages.usage();
        return new DomainInfo(
                domain.tag(),
                domain.kind(),
                Optional.ofNullable(domain.format()),
                pages == null ? 0 : pages.topLevel() + 1,
                usage.leaves(),
                usage.bytes(),
                attached);
    }

    @Override
    public TableWalk walk(PcieAddress requester, int pasid, long iova) {
        int id = IommuTrace.requester(requester);
        Context context = table.find(id);
        if (context == null) {
            return blocked(
                    null, table.hasBus(id) ? FaultReason.CONTEXT_ABSENT : FaultReason.ROOT_ABSENT);
        }
        if (pasid != Iommu.NO_PASID && !context.pasid) {
            return blocked(null, FaultReason.REQUEST_BLOCKED);
        }
        if (pasid == Iommu.NO_PASID && iova >>> 20 == Translator.INTERRUPT_MIB) {
            return found(
                    context.untagged, List.of(), iova, 1 << 20, FaultReason.READ_DENIED.code(), 0);
        }
        Domain domain = pasid == Iommu.NO_PASID ? context.untagged : context.tagged(pasid);
        if (domain == null || domain.kind() == DomainKind.BLOCKED) {
            return blocked(domain, FaultReason.CONTEXT_ABSENT);
        }
        PageTable pages = domain.table();
        if (pages == null) {
            return found(domain, List.of(), iova, PhysicalMemory.PAGE_BYTES, 0, 0);
        }
        Look look = pages.look(iova);
        return found(
                domain,
                look.steps(),
                look.physical(),
                look.bytes(),
                look.readFault(),
                look.writeFault());
    }

    private static TableWalk blocked(@Nullable Domain domain, FaultReason why) {
        return found(domain, List.of(), 0, 0, why.code(), why.code());
    }

    private static TableWalk found(
            @Nullable Domain domain,
            List<TableWalk.Step> steps,
            long physical,
            long bytes,
            int readFault,
            int writeFault) {
        boolean passes = readFault == 0 || writeFault == 0;
        return new TableWalk(
                Optional.ofNullable(domain).map(Domain::kind),
                domain == null ? 0 : domain.tag(),
                steps,
                passes ? Optional.of(new PhysicalAddress(physical)) : Optional.empty(),
                passes ? bytes : 0,
                reason(readFault),
                reason(writeFault));
    }

    private static Optional<FaultReason> reason(int code) {
        return code == 0 ? Optional.empty() : Optional.of(FaultReason.of(code));
    }

    @Override
    public List<IotlbEntry> iotlb(PcieAddress requester) {
        Requester known = contexts.known(requester);
        return known == null ? List.of() : known.iotlb.entries();
    }

    @Override
    public void clearFaults() {
        faults.clear();
    }
}
