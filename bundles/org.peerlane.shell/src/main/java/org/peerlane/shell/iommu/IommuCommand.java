package org.peerlane.shell.iommu;

import java.util.List;
import org.apache.felix.service.command.Descriptor;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.api.IommuDebug;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Numbers;
import org.peerlane.shell.bus.FunctionName;

/**
 * {@code iommu:domains}, {@code iommu:walk}, {@code iommu:iotlb}, {@code iommu:faults}. On a
 * machine without an IOMMU each says so: {@code ENODEV}.
 */
@Component(
        service = IommuCommand.class,
        property = {
            "osgi.command.scope=iommu",
            "osgi.command.function=domains",
            "osgi.command.function=walk",
            "osgi.command.function=iotlb",
            "osgi.command.function=faults"
        })
public final class IommuCommand {
    private final PcieBus bus;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable Iommu iommu;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable IommuDebug debug;

    /** For the framework. */
    @Activate
    public IommuCommand(@Reference PcieBus bus) {
        this.bus = bus;
    }

    private static <T> T present(@Nullable T service) {
        if (service == null) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "this machine has no IOMMU; a board gets one by org.peerlane.iommu.core and"
                            + " \"iommu\": true of org.peerlane.bus.pcie");
        }
        return service;
    }

    private PcieAddress requester(String text) {
        return FunctionName.address(bus.functions(), text);
    }

    /** {@return all domains} */
    @Descriptor("lists the domains, and who is in them")
    public String domains() {
        return IommuText.domains(present(debug).domains());
    }

    /** {@return where a request goes} */
    @Descriptor("walks the page table of a requester as the hardware would")
    public String walk(
            @Descriptor("whose: slot or address") String requester,
            @Descriptor("the address that the device sends") String iova) {
        return walk(requester, Iommu.NO_PASID, iova);
    }

    /** {@return where a request with a PASID goes} */
    @Descriptor("walks the page table of a PASID of a requester as the hardware would")
    public String walk(
            @Descriptor("whose: slot or address") String requester,
            @Descriptor("the address that the device sends") String iova,
            @Descriptor("the PASID") String pasid) {
        long number = Numbers.parse("PASID", pasid, (1 << 20) - 1);
        return walk(requester, (int) number, iova);
    }

    private String walk(String requester, int pasid, String iova) {
        IommuDebug here = present(debug);
        PcieAddress address = requester(requester);
        long at = Numbers.parse("IOVA", iova, -1);
        return IommuText.walk(address, pasid, at, here.walk(address, pasid, at));
    }

    /** {@return the translations that are kept} */
    @Descriptor("lists the translations that are kept for a requester")
    public String iotlb(@Descriptor("whose: slot or address") String requester) {
        return IommuText.iotlb(present(debug).iotlb(requester(requester)));
    }

    /** {@return what was blocked; {@code -c} forgets it afterwards} */
    @Descriptor("lists the requests that were blocked; -c forgets them afterwards")
    public String faults(String... options) {
        boolean clear = options.length == 1 && "-c".equals(options[0]);
        if (!clear && options.length > 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "iommu:faults %s; expected nothing or -c".formatted(String.join(" ", options)));
        }
        Iommu here = present(iommu);
        List<FaultRecord> faults = here.faults();
        String text = IommuText.faults(faults, here.faultsLost());
        if (clear) {
            present(debug).clearFaults();
        }
        return text;
    }
}
