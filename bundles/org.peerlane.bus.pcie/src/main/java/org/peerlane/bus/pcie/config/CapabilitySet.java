package org.peerlane.bus.pcie.config;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;

/** The capabilities of one function, made of their layouts, and which one a dword belongs to. */
final class CapabilitySet {
    private final List<Capability> all = new ArrayList<>();
    private final @Nullable Capability[] byDword = new Capability[ConfigSpace.BYTES / 4];

    final @Nullable PowerManagement power;
    final @Nullable Msi msi;
    final @Nullable MsiX msiX;
    final @Nullable Express express;
    final @Nullable Aer aer;
    final @Nullable Acs acs;
    final @Nullable Ats ats;
    final @Nullable Pri pri;
    final @Nullable Pasid pasid;
    final @Nullable SrIov srIov;

    CapabilitySet(
            ConfigSpace config,
            Header header,
            BarRegisters bars,
            List<CapabilityLayout> layouts,
            ExpressType type,
            @Nullable PortLayout port) {
        CapabilityChain chain = new CapabilityChain(config);
        boolean resizable = false;
        for (CapabilityLayout layout : layouts) {
            if (layout instanceof CapabilityLayout.ResizableBar) {
                if (!resizable) {
                    add(new ResizableBars(chain, resizable(layouts), header, bars));
                    resizable = true;
                }
            } else {
                add(make(chain, layout, type, port));
            }
        }
        power = find(PowerManagement.class);
        msi = find(Msi.class);
        msiX = find(MsiX.class);
        express = find(Express.class);
        aer = find(Aer.class);
        acs = find(Acs.class);
        ats = find(Ats.class);
        pri = find(Pri.class);
        pasid = find(Pasid.class);
        srIov = find(SrIov.class);
        if (pasid != null) {
            pasid.lockedBy(ats);
        }
    }

    private static List<CapabilityLayout.ResizableBar> resizable(List<CapabilityLayout> layouts) {
        return layouts.stream()
                .filter(CapabilityLayout.ResizableBar.class::isInstance)
                .map(CapabilityLayout.ResizableBar.class::cast)
                .toList();
    }

    private static Capability make(
            CapabilityChain chain,
            CapabilityLayout layout,
            ExpressType type,
            @Nullable PortLayout port) {
        return switch (layout) {
            case CapabilityLayout.PowerManagement one -> new PowerManagement(chain, one);
            case CapabilityLayout.Msi one -> new Msi(chain, one);
            case CapabilityLayout.MsiX one -> new MsiX(chain, one);
            case CapabilityLayout.Express one -> new Express(chain, one, type, port);
            case CapabilityLayout.Aer one -> new Aer(chain, one, type == ExpressType.ROOT_PORT);
            case CapabilityLayout.Acs one -> new Acs(chain, one);
            case CapabilityLayout.Ats one -> new Ats(chain, one);
            case CapabilityLayout.Pri one -> new Pri(chain, one);
            case CapabilityLayout.Pasid one -> new Pasid(chain, one);
            case CapabilityLayout.SrIov one -> new SrIov(chain, one);
            case CapabilityLayout.SerialNumber one -> new SerialNumber(chain, one);
            case CapabilityLayout.Ari one -> new Ari(chain, one);
            case CapabilityLayout.Vendor one -> new VendorSpecific(chain, one);
            case CapabilityLayout.AdvancedFeatures _ -> new AdvancedFeatures(chain);
            case CapabilityLayout.ResizableBar one ->
                    throw new IllegalStateException(one + " is made with the others");
        };
    }

    private void add(Capability capability) {
        all.add(capability);
        int end = capability.at() + capability.bytes();
        for (int at = capability.at(); at < end; at += 4) {
            byDword[at / 4] = capability;
        }
    }

    private <C extends Capability> @Nullable C find(Class<C> kind) {
        for (Capability capability : all) {
            if (kind.isInstance(capability)) {
                return kind.cast(capability);
            }
        }
        return null;
    }

    @Nullable Capability at(int dword) {
        return byDword[dword / 4];
    }

    List<Capability> all() {
        return List.copyOf(all);
    }

    void reset(ResetKind kind) {
        for (Capability capability : all) {
            capability.reset(kind);
        }
    }
}
