package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.exporter.vfio.Passthrough.config;
import static org.peerlane.exporter.vfio.Passthrough.expect;
import static org.peerlane.exporter.vfio.Passthrough.read;
import static org.peerlane.exporter.vfio.Passthrough.write;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.api.VirtualFunctions;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("A virtual function that is passed through")
class VirtualFunctionTest {
    private static final int SR_IOV = 0x0010;
    private static final int ENABLE = 1 | 1 << 3; // with memory

    private final Passthrough machine = new Passthrough();
    private PcieFunction function;
    private VfioFile file;

    /** Makes virtual functions with 64 KiB of memory. */
    private static final class Physical implements DeviceModel, VirtualFunctions {
        @Override
        public FunctionLayout layout() {
            BarLayout bar = BarLayout.registers(0, 0x1_0000, true, true);
            return FunctionLayout.of(0x1234, 1, 0x00FF00)
                    .bar(BarLayout.registers(0, 4096, false, false))
                    .with(CapabilityLayout.Express.plain())
                    .with(new CapabilityLayout.SrIov(2, 1, 1, 0x11E9, 1, List.of(bar)))
                    .build();
        }

        @Override
        public DeviceModel createVirtual(int vf, DeviceSlot slot) {
            return new Passthrough.Silicon(
                    FunctionLayout.of(0x1234, 0x11E9, 0x00FF00)
                            .bar(
                                    new BarLayout(
                                            0,
                                            0x1_0000,
                                            true,
                                            true,
                                            Arena.ofAuto().allocate(0x1_0000, 4096)))
                            .with(CapabilityLayout.Express.plain())
                            .build());
        }

        @Override
        public long read(int bar, long offset, int bytes) {
            return 0;
        }

        @Override
        public void write(int bar, long offset, int bytes, long value) {}

        @Override
        public void reset(ResetKind kind) {}

        @Override
        public void close() {}
    }

    @BeforeEach
    void open() throws Exception {
        PcieFunction physical = machine.plugUnbound("card", "sw0.0", new Physical());
        physical.enable(true, true);
        int at = 0x100;
        while ((physical.readConfig(at, 4) & 0xFFFF) != SR_IOV) {
            at = (int) (physical.readConfig(at, 4) >>> 20);
        }
        physical.writeConfig(at + 0x10, 2, 2);
        physical.writeConfig(at + 0x08, 2, ENABLE);
        assertThat(machine.root.settle(10 * Passthrough.SECOND)).isTrue();
        function = machine.function("card.vf1");
        machine.bind(function);
        file = machine.open("card.vf1");
    }

    @AfterEach
    void close() {
        file.put();
        machine.close();
    }

    @Test
    @Rule("VF-31")
    void itsIdsAndBarsAreSaidForIt() {
        assertThat(config(file, 0, 4)).isEqualTo(0x11E9_1234L);
        assertThat(config(file, 0x3D, 1)).as("no line").isZero();
        assertThat(config(file, 0x10, 4)).as("64 bits, prefetchable").isEqualTo(0xC);
        config(file, 0x10, 4, 0xFFFF_FFFFL);
        config(file, 0x14, 4, 0xFFFF_FFFFL);
        assertThat(config(file, 0x10, 4)).isEqualTo(0xFFFF_000CL);
        assertThat(config(file, 0x14, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(config(file, 0x18, 4)).isZero();
        int all = RegionInfo.READ | RegionInfo.WRITE | RegionInfo.MMAP;
        assertThat(file.regionInfo(0)).isEqualTo(new RegionInfo(0, all, 0x1_0000, 0, false));
    }

    @Test
    @Rule("VF-33")
    void itsMemoryIsOnWhateverTheMemoryBitSays() {
        assertThat(config(file, 4, 2) & 2).isEqualTo(2);
        DmaBuf buffer = file.dmaBuf(DmaBufRequest.of(0, 0, 4096));
        write(file, 0, 8, 4, 7);
        Passthrough.memory(file, false);
        assertThat(config(file, 4, 2) & 2).as("the bit itself").isZero();
        assertThat(read(file, 0, 8, 4)).isEqualTo(7);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        try (AddressSpace process = machine.spaces.create("vmm")) {
            int shared = AddressSpace.MAP_SHARED;
            long at = file.mmap(process, 0, 4096, 3, shared, VfioFile.offset(0)).first();
            assertThat(process.load(at + 8, 4)).isEqualTo(7);
        }
        buffer.put();
    }

    @Test
    @Rule("VF-52")
    void itIsResetAlone() {
        file.reset();
        assertThat(config(file, 0, 4)).isEqualTo(0x11E9_1234L);
        machine.bind(machine.function("card.vf2"));
        VfioFile second = machine.open("card.vf2");
        write(second, 0, 0, 4, 5);
        file.reset();
        assertThat(read(second, 0, 0, 4)).isEqualTo(5);
        second.put();
        expect(Errno.EINVAL, () -> file.regionInfo(8));
    }
}
