package org.peerlane.iommu.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.DmaTranslation.Target;
import org.peerlane.bus.api.PageRequest;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.iommu.core.table.Walk;
import org.peerlane.trace.api.Tracepoint;

/**
 * The hardware's way from a request to a physical address.
 *
 * <p><b>Threads.</b> Any, inside the bus's counted section. <b>Cost.</b> No lock, no allocation; a
 * fault costs its record.
 */
final class Translator {
    /** Writes to this MiB are interrupts (IM-9). */
    static final long INTERRUPT_MIB = 0xFEE;

    private static final int MIB_LG2 = 20;
    private static final long MIB = 1L << MIB_LG2;
    private static final long PAGE = 4096;
    private final ContextTable contexts;
    private final Faults faults;
    private final Tracepoint<IommuEvents.StaleHit> staleHit;
    private final Checkpoint missed;
    private final Checkpoint walked;

    Translator(Execution execution, ContextTable contexts, Faults faults, IommuTrace trace) {
        this.contexts = contexts;
        this.faults = faults;
        staleHit = trace.staleHit;
        missed = execution.checkpoint("iommu.translate.missed");
        walked = execution.checkpoint("iommu.translate.walked");
    }

    /** As {@link org.peerlane.bus.api.DmaTranslation#translate}. */
    int translate(int requester, int attributes, long address, boolean write, Target into) {
        Context context = contexts.find(requester);
        if (context == null
                || (attributes & (DmaAttributes.HAS_PASID | DmaAttributes.TRANSLATED)) != 0
                || address >>> MIB_LG2 == INTERRUPT_MIB) {
            return unusual(context, requester, attributes, address, write, into);
        }
        return inDomain(context, context.untagged, attributes, address, write, into);
    }

    private int unusual(
            @Nullable Context context,
            int requester,
            int attributes,
            long address,
            boolean write,
            Target into) {
        if (context == null) {
            FaultReason reason =
                    contexts.hasBus(requester)
                            ? FaultReason.CONTEXT_ABSENT
                            : FaultReason.ROOT_ABSENT;
            return fault(requester, attributes, address, write, reason.code());
        }
        if ((attributes & DmaAttributes.TRANSLATED) != 0) {
            return translated(context, attributes, address, write, into);
        }
        if ((attributes & DmaAttributes.HAS_PASID) == 0) {
            return interruptWindow(requester, attributes, address, write, into);
        }
        if (!context.pasid) {
            return fault(requester, attributes, address, write, FaultReason.REQUEST_BLOCKED.code());
        }
        Domain domain = context.tagged(DmaAttributes.pasid(attributes));
        return inDomain(context, domain, attributes, address, write, into);
    }

    private int inDomain(
            Context context,
            @Nullable Domain domain,
            int attributes,
            long address,
            boolean write,
            Target into) {
        PageTable table = domain == null ? null : domain.table();
        if (domain == null || table == null) {
            return untranslated(context.requester.id, attributes, domain, address, write, into);
        }
        Iotlb iotlb = context.iotlb;
        DmaTranslation.Generation generation = iotlb.generation();
        long number = generation.number(); // before anything is looked at
        boolean watched = staleHit.isOn();
        into.number = watched ? Target.NOT_KEPT : number;
        if (into.generation != generation) {
            into.generation = generation;
        }
        IotlbBank bank = iotlb.bank();
        int tag = domain.tag();
        int need = write ? PageTable.WRITE : PageTable.READ;
        long found = bank == null ? 0 : bank.findSmall(tag, address, need);
        if (found == 0) {
            if (bank != null && iotlb.isSingle()) {
                found = small(table, bank, tag, address, need);
            }
            if (found == 0) {
                return further(context, table, bank, tag, attributes, address, write, into);
            }
        } else if (watched) {
            check(context, table, address, write, Walk.physical(found, address));
        }
        long inside = address & PAGE - 1;
        into.physical = found & Walk.PHYSICAL | inside;
        into.bytes = PAGE - inside;
        return DmaResult.OK;
    }

    /** {@return a leaf of 4 KiB, by way of the paging-structure cache, or 0} */
    private long small(PageTable table, IotlbBank bank, int tag, long address, int need) {
        missed.reached();
        long leaf = table.smallLeaf(address, need, bank.tables, tag);
        if (leaf != 0) {
            walked.reached();
            bank.putSmall(tag, address, leaf);
        }
        return leaf;
    }

    /** A larger page, one that another thread has kept, or a walk. */
    private int further(
            Context context,
            PageTable table,
            @Nullable IotlbBank bank,
            int tag,
            int attributes,
            long address,
            boolean write,
            Target into) {
        int need = write ? PageTable.WRITE : PageTable.READ;
        long found = context.iotlb.findLargeOrElsewhere(bank, tag, address, need);
        if (found == 0) {
            missed.reached();
            found = walk(table, bank, tag, address, write);
            if (Walk.permissions(found) == 0) {
                int reason = Walk.reason(found);
                return fault(context.requester.id, attributes, address, write, reason);
            }
        } else if (staleHit.isOn()) {
            check(context, table, address, write, Walk.physical(found, address));
        }
        into.physical = Walk.physical(found, address);
        into.bytes = Walk.left(found, address);
        return DmaResult.OK;
    }

    private long walk(
            PageTable table, @Nullable IotlbBank bank, int tag, long address, boolean write) {
        if (bank == null) {
            return table.walk(address, write);
        }
        long leaf = table.walk(address, write, bank.tables, tag);
        walked.reached();
        if (Walk.permissions(leaf) != 0) {
            bank.put(tag, address, leaf);
        }
        return leaf;
    }

    /** Identity, blocked, or nothing. */
    private int untranslated(
            int requester,
            int attributes,
            @Nullable Domain domain,
            long address,
            boolean write,
            Target into) {
        if (domain == null || domain.kind() == DomainKind.BLOCKED) {
            return fault(requester, attributes, address, write, FaultReason.CONTEXT_ABSENT.code());
        }
        into.physical = address;
        into.bytes = MIB - (address & MIB - 1); // never across the interrupt window
        return DmaResult.OK;
    }

    private int interruptWindow(
            int requester, int attributes, long address, boolean write, Target into) {
        if (!write) {
            return fault(requester, attributes, address, false, FaultReason.READ_DENIED.code());
        }
        into.physical = address;
        into.bytes = MIB - (address & MIB - 1);
        return DmaResult.OK;
    }

    /** AT=10b (IM-13). */
    private int translated(
            Context context, int attributes, long address, boolean write, Target into) {
        if (!context.ats) {
            return fault(
                    context.requester.id,
                    attributes,
                    address,
                    write,
                    FaultReason.REQUEST_BLOCKED.code());
        }
        into.physical = address;
        into.bytes = PAGE - (address & PAGE - 1);
        return DmaResult.OK;
    }

    /** As {@link org.peerlane.bus.api.DmaTranslation#translationRequest}. */
    int translationRequest(
            int requester, int attributes, long address, int permissions, Target into) {
        Context context = contexts.find(requester);
        int pasid = DmaAttributes.pasid(attributes);
        if (context == null || !context.ats || pasid >= 0 && !context.pasid) {
            faults.record(
                    requester,
                    attributes,
                    address,
                    (permissions & PageRequest.WRITE) != 0,
                    FaultReason.REQUEST_BLOCKED.code());
            return DmaResult.UNSUPPORTED_REQUEST;
        }
        into.physical = 0;
        into.bytes = 0;
        into.permissions = 0;
        Domain domain = pasid < 0 ? context.untagged : context.tagged(pasid);
        if (domain == null || domain.kind() == DomainKind.BLOCKED) {
            return DmaResult.OK; // no access, and no fault (IM-12)
        }
        PageTable table = domain.table();
        if (table == null) {
            into.physical = address;
            into.bytes = PAGE - (address & PAGE - 1);
            into.permissions = PageRequest.READ | PageRequest.WRITE;
            return DmaResult.OK;
        }
        boolean write = (permissions & PageRequest.WRITE) != 0;
        long walk = table.walk(address, write);
        if (Walk.permissions(walk) == 0 && write) {
            walk = table.walk(address, false); // what it may, not what it asked for
        }
        if (Walk.permissions(walk) != 0) { // W only if dirty: else the device asks again to write
            into.physical = Walk.physical(walk, address);
            into.bytes = Walk.left(walk, address);
            into.permissions = Walk.permissions(walk);
        }
        return DmaResult.OK;
    }

    private int fault(int requester, int attributes, long address, boolean write, int reason) {
        faults.record(requester, attributes, address, write, reason);
        return DmaResult.UNSUPPORTED_REQUEST;
    }

    private void check(
            Context context, PageTable table, long address, boolean write, long physical) {
        if (table.physicalOf(address) != physical) {
            staleHit.emit(
                    new IommuEvents.StaleHit(context.requester.address, address, physical, write));
        }
    }
}
