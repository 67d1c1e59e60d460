package org.peerlane.bus.pcie.config;

/** Ids of capabilities (PC-23), as {@code pci_regs.h} numbers them. */
public enum CapabilityId {
    /** Power management. */
    PM(0x01),
    /** Message-signalled interrupts. */
    MSI(0x05),
    /** A vendor's own. */
    VENDOR(0x09),
    /** PCI Express. */
    EXPRESS(0x10),
    /** MSI-X. */
    MSI_X(0x11),
    /** Advanced features. */
    AF(0x13),

    /** Advanced error reporting. */
    AER(0x0001, 2),
    /** Virtual channels. */
    VC(0x0002, 1),
    /** Device serial number. */
    DSN(0x0003, 1),
    /** A vendor's own, extended. */
    VENDOR_EXTENDED(0x000B, 1),
    /** Access control services. */
    ACS(0x000D, 1),
    /** Alternative routing-id interpretation. */
    ARI(0x000E, 1),
    /** Address translation services. */
    ATS(0x000F, 1),
    /** Single root I/O virtualization. */
    SR_IOV(0x0010, 1),
    /** Page requests. */
    PRI(0x0013, 1),
    /** Resizable BARs. */
    RESIZABLE_BAR(0x0015, 1),
    /** Latency tolerance. */
    LTR(0x0018, 1),
    /** Process address spaces. */
    PASID(0x001B, 1),
    /** Downstream port containment. */
    DPC(0x001D, 1),
    /** L1 substates. */
    L1SS(0x001E, 1),
    /** Precision time. */
    PTM(0x001F, 1),
    /** Resizable BARs of virtual functions. */
    VF_RESIZABLE_BAR(0x0024, 1);

    private final int code;
    private final int version;

    CapabilityId(int code) {
        this(code, 0);
    }

    CapabilityId(int code, int version) {
        this.code = code;
        this.version = version;
    }

    /** {@return the number in config space} */
    public int code() {
        return code;
    }

    /** {@return version of an extended one; 0: it is none} */
    public int version() {
        return version;
    }

    /** {@return whether it is in the extended list} */
    public boolean extended() {
        return version != 0;
    }
}
