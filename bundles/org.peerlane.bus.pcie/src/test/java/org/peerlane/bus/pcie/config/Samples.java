package org.peerlane.bus.pcie.config;

import java.util.List;
import java.util.Map;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.CapabilityLayout.Acs;
import org.peerlane.bus.api.CapabilityLayout.Aer;
import org.peerlane.bus.api.CapabilityLayout.Ari;
import org.peerlane.bus.api.CapabilityLayout.Ats;
import org.peerlane.bus.api.CapabilityLayout.Express;
import org.peerlane.bus.api.CapabilityLayout.Msi;
import org.peerlane.bus.api.CapabilityLayout.MsiX;
import org.peerlane.bus.api.CapabilityLayout.Pasid;
import org.peerlane.bus.api.CapabilityLayout.PowerManagement;
import org.peerlane.bus.api.CapabilityLayout.Pri;
import org.peerlane.bus.api.CapabilityLayout.ResizableBar;
import org.peerlane.bus.api.CapabilityLayout.SerialNumber;
import org.peerlane.bus.api.CapabilityLayout.SrIov;
import org.peerlane.bus.api.CapabilityLayout.Vendor;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.RomLayout;

/** Functions of every kind. */
final class Samples {
    static final long MIB = 1 << 20;

    private Samples() {}

    /** Every capability, every kind of BAR. */
    static FunctionLayout full() {
        return FunctionLayout.of(0x1234, 0x5678, 0x01_0802)
                .revision(3)
                .subsystem(0x1AF4, 0x1100)
                .interruptPin(1)
                .bar(BarLayout.registers(0, 16384, true, false))
                .bar(new BarLayout(2, 256 * MIB, true, true, null))
                .bar(BarLayout.io(4, 64))
                .bar(BarLayout.registers(5, 4096, false, false))
                .rom(new RomLayout(0x1_0000, null))
                .with(new PowerManagement(true, false, false, 0x19))
                .with(new Msi(8, true, true))
                .with(new MsiX(65, 0, 0, 0, 0x2000))
                .with(Vendor.of(1, 2, 3))
                .with(Express.plain())
                .with(new Aer())
                .with(new SerialNumber(0x0011_2233_4455_6677L))
                .with(new Ari(1))
                .with(new Acs(0x6C, 40))
                .with(new Ats(32, true))
                .with(new Pri(64, false))
                .with(new Pasid(20, true, false))
                .with(
                        new SrIov(
                                7,
                                0x80,
                                2,
                                0x9ABC,
                                0x553,
                                List.of(
                                        BarLayout.registers(0, 16384, true, false),
                                        BarLayout.registers(2, 4096, false, false))))
                .with(new ResizableBar(2, 256 * MIB | 512 * MIB | 1024 * MIB | 8192 * MIB))
                .build();
    }

    /** A conventional function, as the edu device of QEMU. */
    static FunctionLayout conventional() {
        return FunctionLayout.of(0x1234, 0x11E8, 0x00FF00)
                .bar(BarLayout.registers(0, MIB, false, false))
                .with(new Msi(1, true, false))
                .build();
    }

    static FunctionConfig endpoint() {
        return FunctionConfig.endpoint(full(), ExpressType.ENDPOINT);
    }

    static FunctionConfig endpoint(CapabilityLayout... capabilities) {
        FunctionLayout.Builder layout =
                FunctionLayout.of(1, 2, 3).bar(BarLayout.registers(0, 4096, false, false));
        List.of(capabilities).forEach(layout::with);
        return FunctionConfig.endpoint(layout.build(), ExpressType.ENDPOINT);
    }

    /** One BAR, no capability. */
    static FunctionConfig plain() {
        return endpoint(new CapabilityLayout[0]);
    }

    static FunctionConfig rootPort() {
        return FunctionConfig.port(
                PortLayout.of(ExpressType.ROOT_PORT, 0x1B36, 0x000C, 5, SlotLayout.hotPlug(7)));
    }

    /** Every kind of function, by name. */
    static Map<String, FunctionConfig> all() {
        return Map.of(
                "endpoint", endpoint(),
                "root complex endpoint",
                        FunctionConfig.endpoint(full(), ExpressType.ROOT_COMPLEX_ENDPOINT),
                "conventional",
                        FunctionConfig.endpoint(conventional(), ExpressType.ROOT_COMPLEX_ENDPOINT),
                "narrow MSI", endpoint(new Msi(32, false, true), Express.plain()),
                "nothing", plain(),
                "advanced features", endpoint(new CapabilityLayout.AdvancedFeatures()),
                "root port", rootPort(),
                "upstream port",
                        FunctionConfig.port(
                                PortLayout.of(ExpressType.UPSTREAM_PORT, 0x104C, 0x8232, 0, null)),
                "downstream port",
                        FunctionConfig.port(
                                PortLayout.of(
                                        ExpressType.DOWNSTREAM_PORT,
                                        0x104C,
                                        0x8233,
                                        1,
                                        SlotLayout.hotPlug(2))),
                "virtual function",
                        FunctionConfig.virtualFunction(
                                full(), List.of(Express.plain(), new MsiX(4, 0, 0, 0, 0x800))));
    }
}
