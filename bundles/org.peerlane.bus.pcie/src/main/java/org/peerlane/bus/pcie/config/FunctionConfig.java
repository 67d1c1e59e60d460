package org.peerlane.bus.pcie.config;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.api.RomLayout;

/**
 * The config space of one function: header, BARs, capabilities.
 *
 * <p><b>Use.</b> {@link #write} answers {@link Effect}s; whoever owns the function derives from the
 * getters what others read without a lock, and acts. An access that no function takes reads
 * all-ones and writes nothing (PC-3).
 *
 * <p><b>Threads.</b> None of its own; whoever holds the function's lock.
 */
public final class FunctionConfig {
    private static final int BAR0 = 0x10;
    private static final int ENDPOINT_ROM = 0x30;
    private static final int BRIDGE_ROM = 0x38;
    private static final int BRIDGE_BARS_END = 0x18;
    private static final int HEADER_END = 0x40;

    private final ConfigSpace config = new ConfigSpace();
    private final Header header;
    private final BarRegisters bars;
    private final CapabilitySet capabilities;
    private final ErrorReporting errors;
    private final Intx intx;

    private FunctionConfig(
            Function<ConfigSpace, Header> header,
            List<BarLayout> bars,
            @Nullable RomLayout rom,
            int pin,
            List<CapabilityLayout> layouts,
            ExpressType type,
            @Nullable PortLayout port) {
        this.header = header.apply(config);
        int romAt = port == null ? ENDPOINT_ROM : BRIDGE_ROM;
        this.bars = new BarRegisters(config, BAR0, bars, romAt, rom);
        capabilities = new CapabilitySet(config, this.header, this.bars, layouts, type, port);
        errors = new ErrorReporting(this.header, express(), aer());
        intx = new Intx(this.header, pin, msi(), msiX(), power());
    }

    /**
     * {@return an endpoint's}
     *
     * @param type {@link ExpressType#ENDPOINT} below a port, {@link
     *     ExpressType#ROOT_COMPLEX_ENDPOINT} on a root bus
     */
    public static FunctionConfig endpoint(FunctionLayout layout, ExpressType type) {
        return new FunctionConfig(
                config -> new EndpointHeader(config, layout),
                layout.bars(),
                layout.rom(),
                layout.interruptPin(),
                layout.capabilities(),
                type,
                null);
    }

    /**
     * {@return a virtual function's: no ids, BARs and pin of its own (PC-35)}
     *
     * @param physical the layout of the function it comes from
     * @param capabilities what the virtual one has
     */
    public static FunctionConfig virtualFunction(
            FunctionLayout physical, List<CapabilityLayout> capabilities) {
        return new FunctionConfig(
                config -> new EndpointHeader(config, physical, true),
                List.of(),
                null,
                0,
                capabilities,
                ExpressType.ENDPOINT,
                null);
    }

    /** {@return a port's} */
    public static FunctionConfig port(PortLayout layout) {
        return new FunctionConfig(
                config -> {
                    BridgeHeader header = new BridgeHeader(config, layout.ioBits());
                    header.identity(
                            layout.vendorId(),
                            layout.deviceId(),
                            layout.revision(),
                            0x06_0400,
                            layout.interruptPin());
                    return header;
                },
                List.of(),
                null,
                layout.interruptPin(),
                layout.capabilities(),
                layout.type(),
                layout);
    }

    /**
     * {@return how much of config space there is: 4096 with the Express capability, or 256 (PC-1)}
     */
    public int bytes() {
        return express() == null ? ConfigSpace.CONVENTIONAL_BYTES : ConfigSpace.BYTES;
    }

    private boolean takes(int offset, int bytes) {
        return ConfigSpace.takes(offset, bytes) && offset < bytes();
    }

    /** {@return what software reads; all-ones where config space takes no access} */
    public long read(int offset, int bytes) {
        return takes(offset, bytes) ? config.get(offset, bytes) : ConfigSpace.ones(bytes);
    }

    /**
     * Software writes.
     *
     * @param value only the low {@code bytes} count
     * @return {@link Effect}s
     */
    public int write(int offset, int bytes, long value) {
        if (!takes(offset, bytes)) {
            return 0;
        }
        int dword = offset & ~3;
        int shift = (offset & 3) * 8;
        int lanes = (int) (ConfigSpace.ones(bytes) << shift);
        int before = config.dword(dword);
        config.write(offset, bytes, value);
        int x = (int) (value << shift) & lanes;
        if (dword < HEADER_END) {
            return headerWritten(dword, lanes, x, before);
        }
        Capability capability = capabilities.at(dword);
        int effects =
                capability == null
                        ? 0
                        : capability.written(dword - capability.at(), lanes, x, before);
        if ((effects & Effect.DECODE) != 0) {
            bars.written(dword, header.memory());
        }
        return effects;
    }

    private int headerWritten(int dword, int lanes, int x, int before) {
        int effects = header.written(dword, lanes, x, before);
        boolean bar = header instanceof EndpointHeader || dword < BRIDGE_BARS_END;
        return bar && bars.written(dword, header.memory()) ? effects | Effect.DECODE : effects;
    }

    /** Resets the bits, but for what this kind keeps (PC-61, PC-64), and what hangs on them. */
    public void reset(ResetKind kind) {
        config.reset(kind);
        bars.reset();
        capabilities.reset(kind);
        intx.level(false);
    }

    /**
     * Says where the BARs decode (PC-17): see {@link BarRegisters#bases}.
     *
     * @param into of {@link BarRegisters#ROM} + 1 elements
     */
    public void bases(long[] into) {
        boolean awake = awake();
        bars.bases(into, awake && header.memory(), awake && header.io());
    }

    /** {@return whether it is in D0} */
    public boolean awake() {
        PowerManagement power = power();
        return power == null || power.awake();
    }

    /** {@return whether it may send requests: bus master on, and awake (PC-25)} */
    public boolean mayMaster() {
        return header.busMaster() && awake();
    }

    /** {@return the bits themselves} */
    public ConfigSpace space() {
        return config;
    }

    /** {@return its header} */
    public Header header() {
        return header;
    }

    /**
     * {@return the header of a bridge}
     *
     * @throws IllegalStateException it is none
     */
    public BridgeHeader bridge() {
        if (header instanceof BridgeHeader bridge) {
            return bridge;
        }
        throw new IllegalStateException("an endpoint is no bridge");
    }

    /** {@return its BARs} */
    public BarRegisters bars() {
        return bars;
    }

    /** {@return where errors are reported} */
    public ErrorReporting errors() {
        return errors;
    }

    /** {@return its INTx} */
    public Intx intx() {
        return intx;
    }

    /** {@return all capabilities, in the order of their places} */
    public List<Capability> capabilities() {
        return capabilities.all();
    }

    /** {@return power management, or null} */
    public @Nullable PowerManagement power() {
        return capabilities.power;
    }

    /** {@return MSI, or null} */
    public @Nullable Msi msi() {
        return capabilities.msi;
    }

    /** {@return MSI-X, or null} */
    public @Nullable MsiX msiX() {
        return capabilities.msiX;
    }

    /** {@return PCI Express, or null: a conventional function} */
    public @Nullable Express express() {
        return capabilities.express;
    }

    /** {@return error reporting, or null} */
    public @Nullable Aer aer() {
        return capabilities.aer;
    }

    /** {@return access control, or null} */
    public @Nullable Acs acs() {
        return capabilities.acs;
    }

    /** {@return address translation, or null} */
    public @Nullable Ats ats() {
        return capabilities.ats;
    }

    /** {@return page requests, or null} */
    public @Nullable Pri pri() {
        return capabilities.pri;
    }

    /** {@return process address spaces, or null} */
    public @Nullable Pasid pasid() {
        return capabilities.pasid;
    }

    /** {@return virtual functions, or null} */
    public @Nullable SrIov srIov() {
        return capabilities.srIov;
    }
}
