package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/**
 * MSI as config space has it; {@code pending} bits are the sender's, who keeps them here by {@link
 * #pending(int)} before software reads.
 */
public final class Msi extends Capability {
    private static final RegisterMap<MsiWideRegister> WIDE =
            new RegisterMap<>(MsiWideRegister.class, 0x10);
    private static final RegisterMap<MsiNarrowRegister> NARROW =
            new RegisterMap<>(MsiNarrowRegister.class, 0x0C);
    private static final RegisterMap<MsiMaskRegister> MASK =
            new RegisterMap<>(MsiMaskRegister.class, 8);

    private static final int ENABLE = 1 << 16;
    private static final int ENABLED_LG2 = 4 + 16;

    private final int control;
    private final int data;

    /** Where mask and pending are; 0: there are none. */
    private final int mask;

    private final boolean wide;
    private final int vectors;

    Msi(CapabilityChain chain, CapabilityLayout.Msi layout) {
        super(
                chain,
                CapabilityId.MSI,
                (layout.wide() ? 0x0E : 0x0A) + (layout.perVectorMask() ? 0x0A : 0));
        wide = layout.wide();
        vectors = layout.vectors();
        control = at();
        int capable = Integer.numberOfTrailingZeros(vectors);
        if (wide) {
            define(WIDE);
            data = at() + MsiWideRegister.DATA.offset();
            preset(MsiWideRegister.CONTROL, MsiWideRegister.WIDE, 1);
        } else {
            define(NARROW);
            data = at() + MsiNarrowRegister.DATA.offset();
        }
        preset(MsiWideRegister.CONTROL, MsiWideRegister.CAPABLE_LG2, capable);
        preset(MsiWideRegister.CONTROL, MsiWideRegister.PER_VECTOR_MASK, layout.perVectorMask());
        mask = layout.perVectorMask() ? data + 4 : 0;
        if (mask != 0) {
            MASK.registers().forEach(register -> config.define(mask, register));
            config.writable(mask, 4, -1, (1L << vectors) - 1);
        }
    }

    /** {@return whether messages are on} */
    public boolean enabled() {
        return (config.dword(control) & ENABLE) != 0;
    }

    /** {@return vectors that the function has} */
    public int vectors() {
        return vectors;
    }

    /** {@return vectors that software uses} */
    public int enabledVectors() {
        return Math.min(1 << (config.dword(control) >>> ENABLED_LG2 & 7), vectors);
    }

    /** {@return where messages go} */
    public long address() {
        return config.get(at() + 4, wide ? 8 : 4);
    }

    /** {@return what vector 0 writes; the bits that number the vectors are 0} */
    public int data() {
        return config.dword(data) & 0xFFFF & -enabledVectors();
    }

    /** {@return a 1 keeps its vector back; 0 without masks} */
    public int mask() {
        return mask == 0 ? 0 : config.dword(mask);
    }

    /** {@return whether it has masks} */
    public boolean perVectorMask() {
        return mask != 0;
    }

    /** Says what is pending. */
    public void pending(int bits) {
        if (mask != 0) {
            config.set(mask + 4, 4, bits);
        }
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (dword == 0) {
            int most = Integer.numberOfTrailingZeros(vectors);
            if ((config.dword(control) >>> ENABLED_LG2 & 7) > most) {
                set(MsiWideRegister.CONTROL, MsiWideRegister.ENABLED_LG2, most);
            }
            return Effect.MESSAGES | Effect.INTX;
        }
        return Effect.MESSAGES;
    }
}
