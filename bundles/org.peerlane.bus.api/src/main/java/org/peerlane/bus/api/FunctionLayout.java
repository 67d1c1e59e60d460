package org.peerlane.bus.api;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a function looks like from outside: identity, BARs, capabilities. The bus makes config space
 * of it. Made by {@link #of}:
 *
 * <pre>{@code
 * FunctionLayout.of(0x1234, 0x11E8, 0x00FF00)
 *         .revision(0x10)
 *         .bar(BarLayout.registers(0, 0x10_0000, false, false))
 *         .with(new CapabilityLayout.Msi(1, true, false))
 *         .build();
 * }</pre>
 *
 * @param vendorId 16 bits
 * @param deviceId 16 bits
 * @param revision 8 bits
 * @param classCode base class, sub-class, programming interface: 24 bits
 * @param subsystemVendorId 16 bits
 * @param subsystemId 16 bits
 * @param bars the BARs it has, by rising index
 * @param rom the expansion ROM, or null
 * @param interruptPin 1 to 4: INTA to INTD; 0: no INTx
 * @param capabilities in the order of the lists
 */
public record FunctionLayout(
        int vendorId,
        int deviceId,
        int revision,
        int classCode,
        int subsystemVendorId,
        int subsystemId,
        List<BarLayout> bars,
        @Nullable RomLayout rom,
        int interruptPin,
        List<CapabilityLayout> capabilities) {

    /**
     * @throws IllegalArgumentException a value out of its range, BARs that overlap in the registers
     *     (PC-13, PC-15), or capabilities that do not go together
     */
    public FunctionLayout {
        Check.range("vendor id", vendorId, 1, 0xFFFE);
        Check.range("device id", deviceId, 0, 0xFFFF);
        Check.range("revision", revision, 0, 0xFF);
        Check.range("class code", classCode, 0, 0xFFFFFF);
        Check.range("subsystem vendor id", subsystemVendorId, 0, 0xFFFF);
        Check.range("subsystem id", subsystemId, 0, 0xFFFF);
        Check.range("interrupt pin", interruptPin, 0, 4);
        bars = checkedBars(bars);
        capabilities = List.copyOf(capabilities);
        CapabilityCheck.check(bars, capabilities);
    }

    /**
     * A function without ROM and pin.
     *
     * @param msiVectors vectors of the MSI capability, with 64-bit address and masks; 0: no MSI
     */
    public FunctionLayout(
            int vendorId,
            int deviceId,
            int revision,
            int classCode,
            int subsystemVendorId,
            int subsystemId,
            List<BarLayout> bars,
            int msiVectors) {
        this(
                vendorId,
                deviceId,
                revision,
                classCode,
                subsystemVendorId,
                subsystemId,
                bars,
                null,
                0,
                msiVectors == 0
                        ? List.of()
                        : List.of(new CapabilityLayout.Msi(msiVectors, true, true)));
    }

    static List<BarLayout> checkedBars(List<BarLayout> bars) {
        Set<Integer> taken = new HashSet<>();
        for (BarLayout bar : bars) {
            Check.that(
                    taken.add(bar.index()) && (!bar.wide() || taken.add(bar.index() + 1)),
                    "BAR %d takes a register of another BAR",
                    bar.index());
        }
        return List.copyOf(bars);
    }

    /** {@return a layout to be filled} */
    public static Builder of(int vendorId, int deviceId, int classCode) {
        return new Builder(vendorId, deviceId, classCode);
    }

    /** {@return the capability of a kind, if the function has it; the first of several} */
    public <C extends CapabilityLayout> Optional<C> capability(Class<C> kind) {
        return capabilities.stream().filter(kind::isInstance).map(kind::cast).findFirst();
    }

    /** {@return the BAR of an index, if the function has it} */
    public Optional<BarLayout> bar(int index) {
        return bars.stream().filter(bar -> bar.index() == index).findFirst();
    }

    /** {@return vectors of the MSI capability; 0: there is none} */
    public int msiVectors() {
        return capability(CapabilityLayout.Msi.class).map(CapabilityLayout.Msi::vectors).orElse(0);
    }

    /** Collects what a function has. */
    public static final class Builder {
        private final int vendorId;
        private final int deviceId;
        private final int classCode;
        private final List<BarLayout> bars = new ArrayList<>();
        private final List<CapabilityLayout> capabilities = new ArrayList<>();
        private int revision;
        private int subsystemVendorId;
        private int subsystemId;
        private @Nullable RomLayout rom;
        private int interruptPin;

        private Builder(int vendorId, int deviceId, int classCode) {
            this.vendorId = vendorId;
            this.deviceId = deviceId;
            this.classCode = classCode;
        }

        /** Sets the revision; 0 without. */
        public Builder revision(int value) {
            revision = value;
            return this;
        }

        /** Sets the subsystem's ids; 0 without. */
        public Builder subsystem(int vendor, int id) {
            subsystemVendorId = vendor;
            subsystemId = id;
            return this;
        }

        /** Adds a BAR. */
        public Builder bar(BarLayout bar) {
            bars.add(bar);
            return this;
        }

        /** Adds the expansion ROM. */
        public Builder rom(RomLayout layout) {
            rom = layout;
            return this;
        }

        /** Says which INTx it has: 1 to 4; none without. */
        public Builder interruptPin(int pin) {
            interruptPin = pin;
            return this;
        }

        /** Adds a capability, behind those that it has. */
        public Builder with(CapabilityLayout capability) {
            capabilities.add(capability);
            return this;
        }

        /**
         * {@return the layout}
         *
         * @throws IllegalArgumentException as the constructor says
         */
        public FunctionLayout build() {
            return new FunctionLayout(
                    vendorId,
                    deviceId,
                    revision,
                    classCode,
                    subsystemVendorId,
                    subsystemId,
                    bars,
                    rom,
                    interruptPin,
                    capabilities);
        }
    }
}
