package org.peerlane.iommu.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
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
    private static final VarHandle SPARE;

    static {
        try {
            SPARE = MethodHandles.lookup().findVarHandle(Translator.class, "spare", Walk.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ContextTable contexts;
    private final Faults faults;
    private final IommuTrace trace;
    private final Checkpoint missed;
    private final Checkpoint walked;

    /** For a walk; null while one has it. */
    @SuppressWarnings("unused") // through SPARE
    private @Nullable Walk spare = new Walk();

    Translator(Execution execution, ContextTable contexts, Faults faults, IommuTrace trace) {
        this.contexts = contexts;
        this.faults = faults;
        this.trace = trace;
        missed = execution.checkpoint("iommu.translate.missed");
        walked = execution.checkpoint("iommu.translate.walked");
    }

    /** As {@link org.peerlane.bus.api.DmaTranslation#translate}. */
    int translate(int requester, int attributes, long address, boolean write, Target into) {
        Context context = contexts.find(requester);
        if (context == null) {
            FaultReason reason =
                    contexts.hasBus(requester)
                            ? FaultReason.CONTEXT_ABSENT
                            : FaultReason.ROOT_ABSENT;
            return fault(requester, attributes, address, write, reason.code());
        }
        Domain domain;
        if ((attributes & (DmaAttributes.HAS_PASID | DmaAttributes.TRANSLATED)) == 0) {
            if (address >>> MIB_LG2 == INTERRUPT_MIB) {
                return interruptWindow(requester, attributes, address, write, into);
            }
            domain = context.untagged;
        } else {
            if ((attributes & DmaAttributes.TRANSLATED) != 0) {
                return translated(context, attributes, address, write, into);
            }
            if (!context.pasid) {
                return fault(
                        requester, attributes, address, write, FaultReason.REQUEST_BLOCKED.code());
            }
            domain = context.tagged(DmaAttributes.pasid(attributes));
        }
        PageTable table = domain == null ? null : domain.table();
        if (domain == null || table == null) {
            return untranslated(requester, attributes, domain, address, write, into);
        }
        DmaTranslation.Generation generation = context.iotlb.generation();
        into.number = generation.number();
        into.generation = trace.staleHit.isOn() ? null : generation;
        long hit =
                context.iotlb.find(domain.tag(), address, write ? PageTable.WRITE : PageTable.READ);
        if (hit == 0) {
            return miss(context, domain, table, attributes, address, write, into);
        }
        long bytes = Iotlb.bytes(hit);
        into.physical = Iotlb.physical(hit, address);
        into.bytes = bytes - (address & bytes - 1);
        if (trace.staleHit.isOn()) {
            check(context, table, address, write, into.physical);
        }
        return DmaResult.OK;
    }

    private int miss(
            Context context,
            Domain domain,
            PageTable table,
            int attributes,
            long address,
            boolean write,
            Target into) {
        missed.reached();
        long seen = context.iotlb.generation().number();
        Walk walk = takeWalk();
        int reason = table.walk(address, write, walk);
        if (reason != 0) {
            SPARE.setRelease(this, walk);
            return fault(context.requester.id, attributes, address, write, reason);
        }
        walked.reached();
        int permissions = walk.permissions & PageTable.READ;
        if ((walk.permissions & PageTable.WRITE) != 0 && walk.dirty) {
            permissions |= PageTable.WRITE;
        }
        context.iotlb.put(domain.tag(), address, walk.physical, permissions, walk.leafBytes, seen);
        into.physical = walk.physical;
        into.bytes = walk.leafBytes - (address - walk.leafIova);
        SPARE.setRelease(this, walk);
        return DmaResult.OK;
    }

    private Walk takeWalk() {
        Walk one = (Walk) SPARE.getAndSetAcquire(this, (Walk) null);
        return one == null ? new Walk() : one;
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
        Walk walk = takeWalk();
        boolean write = (permissions & PageRequest.WRITE) != 0;
        int reason = table.walk(address, write, walk);
        if (reason != 0 && write) {
            reason = table.walk(address, false, walk); // what it may, not what it asked for
        }
        if (reason == 0) {
            int granted = walk.permissions & PageTable.READ;
            if ((walk.permissions & PageTable.WRITE) != 0 && walk.dirty) {
                granted |= PageRequest.WRITE; // else the device asks again before it writes
            }
            into.physical = walk.physical;
            into.bytes = granted == 0 ? 0 : walk.leafBytes - (address - walk.leafIova);
            into.permissions = granted;
        }
        SPARE.setRelease(this, walk);
        return DmaResult.OK;
    }

    private int fault(int requester, int attributes, long address, boolean write, int reason) {
        faults.record(requester, attributes, address, write, reason);
        return DmaResult.UNSUPPORTED_REQUEST;
    }

    private void check(
            Context context, PageTable table, long address, boolean write, long physical) {
        if (table.physicalOf(address) != physical) {
            trace.staleHit.emit(
                    new IommuEvents.StaleHit(context.requester.address, address, physical, write));
        }
    }
}
