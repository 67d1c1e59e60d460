package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.exporter.vfio.Passthrough.expect;
import static org.peerlane.exporter.vfio.Passthrough.read;
import static org.peerlane.exporter.vfio.Passthrough.write;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.SegmentationFault;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.DeviceInfo;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("Regions of a function that is passed through")
class RegionsTest {
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final int READ_WRITE = RegionInfo.READ | RegionInfo.WRITE;

    private final Passthrough machine = new Passthrough();
    private VfioFile file;

    @BeforeEach
    void open() {
        machine.plug("card", "sw0.0", 0, Passthrough.card());
        file = machine.open("card");
    }

    @AfterEach
    void close() {
        file.put();
        machine.close();
    }

    private static RegionInfo region(int index, int flags, long size) {
        return new RegionInfo(index, flags, size, (long) index << 40, false);
    }

    @Test
    @Rule("VF-20")
    @Rule("VF-21")
    @Rule("VF-23")
    @Rule("VF-25")
    void eachIsWhatItIs() {
        assertThat(file.info()).isEqualTo(new DeviceInfo(DeviceInfo.RESET | DeviceInfo.PCI, 9, 5));
        int mapped = READ_WRITE | RegionInfo.MMAP;
        assertThat(file.regionInfo(0)).isEqualTo(region(0, mapped, 0x1000));
        assertThat(file.regionInfo(1)).isEqualTo(region(1, 0, 0));
        assertThat(file.regionInfo(2)).isEqualTo(region(2, mapped, 0x1_0000));
        assertThat(file.regionInfo(3)).as("upper half of BAR 2").isEqualTo(region(3, 0, 0));
        assertThat(file.regionInfo(4))
                .isEqualTo(new RegionInfo(4, mapped | RegionInfo.CAPS, 0x4000, 4L << 40, true));
        assertThat(file.regionInfo(5)).isEqualTo(region(5, 0, 0));
        assertThat(file.regionInfo(6)).as("no ROM").isEqualTo(region(6, 0, 0));
        assertThat(file.regionInfo(7)).isEqualTo(region(7, READ_WRITE, 4096));
        expect(Errno.EINVAL, () -> file.regionInfo(8));
        expect(Errno.EINVAL, () -> file.regionInfo(9));
        expect(Errno.EINVAL, () -> file.regionInfo(-1));
    }

    @Test
    @Rule("VF-26")
    void registersAreReadAndWrittenInAlignedPieces() {
        write(file, 0, 8, 8, 0x1122_3344_5566_7788L);
        assertThat(read(file, 0, 8, 8)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(machine.silicon.get("card").read(0, 8, 8)).isEqualTo(0x1122_3344_5566_7788L);
        write(file, 2, 0x101, 7, 0x77_6655_4433_2211L); // 1, 2, 4 bytes
        assertThat(read(file, 2, 0x101, 7)).isEqualTo(0x77_6655_4433_2211L);
        assertThat(read(file, 2, 0x100, 8)).isEqualTo(0x7766_5544_3322_1100L);
    }

    @Test
    @Rule("VF-26")
    void pastTheEndIsCutOffOrRefused() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[16]);
        assertThat(file.pread(bytes, VfioFile.offset(2) + 0xFFF8)).isEqualTo(8);
        assertThat(file.pwrite(bytes, VfioFile.offset(2) + 0xFFFC)).isEqualTo(4);
        expect(Errno.EINVAL, () -> file.pread(bytes, VfioFile.offset(2) + 0x1_0000));
        expect(Errno.EINVAL, () -> file.pread(bytes, VfioFile.offset(1)));
        expect(Errno.EINVAL, () -> file.pwrite(bytes, VfioFile.offset(VfioFile.ROM)));
        expect(Errno.EINVAL, () -> file.pread(bytes, VfioFile.offset(VfioFile.VGA)));
        expect(Errno.EINVAL, () -> file.pread(bytes, VfioFile.offset(11)));
        assertThat(file.pread(bytes.asSlice(0, 0), VfioFile.offset(11))).isZero();
    }

    @Test
    @Rule("VF-26")
    void theMsiXTableReadsOnesAndTakesNoWrites() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[0x48]);
        long offset = tableOffset();
        long at = VfioFile.offset(4) + offset;
        assertThat(file.pwrite(bytes, at)).isEqualTo(0x48);
        assertThat(read(file, 4, offset, 8)).isEqualTo(-1L);
        assertThat(read(file, 4, offset + 0x38, 8)).as("the last entry").isEqualTo(-1L);
        assertThat(read(file, 4, offset + 0x40, 4)).as("behind it").isZero();
        assertThat(machine.function("card").read(4, offset + 12, 4))
                .as("still masked")
                .isEqualTo(1);
    }

    private long tableOffset() {
        return Passthrough.config(file, Passthrough.capability(file, 0x11) + 4, 4) & ~7L;
    }

    @Test
    @Rule("VF-27")
    @Rule("VF-33")
    void memoryThatIsOffIsAnErrorAndConfigSpaceStays() {
        Passthrough.memory(file, false);
        expect(Errno.EIO, () -> read(file, 2, 0, 4));
        expect(Errno.EIO, () -> write(file, 0, 0, 4, 1));
        assertThat(Passthrough.config(file, 0, 4)).isEqualTo(0x0001_1234);
        Passthrough.memory(file, true);
        assertThat(read(file, 2, 0, 4)).isZero();
    }

    @Test
    @Rule("VF-28")
    @Rule("VF-29")
    @Rule("VF-42")
    void aMappingOutlivesMemoryThatGoesAndComes() {
        try (AddressSpace process = machine.spaces.create("vmm")) {
            CpuMapping mapping =
                    file.mmap(process, 0, 0x2000, RW, AddressSpace.MAP_SHARED, VfioFile.offset(2));
            process.store(mapping.first() + 0x1008, 8, 0x55);
            assertThat(read(file, 2, 0x1008, 8)).isEqualTo(0x55);
            Passthrough.memory(file, false);
            assertThat(process.entry(mapping.first() + 0x1000)).as("zapped").isZero();
            assertThatThrownBy(() -> process.load(mapping.first() + 0x1008, 8))
                    .isInstanceOf(BusError.class);
            Passthrough.memory(file, true);
            assertThat(process.load(mapping.first() + 0x1008, 8)).isEqualTo(0x55);
            assertThatThrownBy(() -> process.load(mapping.first() + 0x2000, 8))
                    .isInstanceOf(SegmentationFault.class);
        }
    }

    @Test
    @Rule("VF-28")
    void whatCannotBeMappedIsRefused() {
        try (AddressSpace process = machine.spaces.create("vmm")) {
            int shared = AddressSpace.MAP_SHARED;
            expect(
                    Errno.EINVAL,
                    () ->
                            file.mmap(
                                    process,
                                    0,
                                    4096,
                                    RW,
                                    AddressSpace.MAP_PRIVATE,
                                    VfioFile.offset(2)));
            for (int index : new int[] {1, 3, 6, 7, 8, 12}) {
                expect(
                        Errno.EINVAL,
                        () -> file.mmap(process, 0, 4096, RW, shared, VfioFile.offset(index)));
            }
            long last = VfioFile.offset(2) + 0xF000;
            expect(Errno.EINVAL, () -> file.mmap(process, 0, 0x2000, RW, shared, last));
            expect(Errno.EINVAL, () -> file.mmap(process, 0, 0, RW, shared, last));
            file.mmap(process, 0, 4096, RW, shared, last);
        }
    }

    @Test
    @Rule("VF-13")
    @Rule("VF-29")
    void aMappingOfAClosedFunctionIsABusErrorForGood() {
        try (AddressSpace process = machine.spaces.create("vmm")) {
            CpuMapping mapping =
                    file.mmap(process, 0, 0x1000, RW, AddressSpace.MAP_SHARED, VfioFile.offset(2));
            process.store(mapping.first(), 4, 1);
            file.put();
            assertThatThrownBy(() -> process.load(mapping.first(), 4)).isInstanceOf(BusError.class);
            file = machine.open("card");
            assertThatThrownBy(() -> process.load(mapping.first(), 4)).isInstanceOf(BusError.class);
        }
    }

    @Test
    @Rule("VF-12")
    @Rule("VF-13")
    void aFunctionIsResetAndEnabledByTheFirstOpenAndSwitchedOffByTheLastClose() {
        VfioFile second = machine.open("card");
        assertThat(machine.device("card").openCount()).isEqualTo(2);
        assertThat(machine.silicon.get("card").resets).as("by the first open").hasSize(1);
        assertThat(machine.function("card").readConfig(4, 2) & 7).as("bus master off").isEqualTo(2);
        write(file, 0, 0, 4, 7);
        second.put();
        assertThat(read(file, 0, 0, 4)).isEqualTo(7);
        file.put();
        assertThat(machine.function("card").readConfig(4, 2) & 7).isZero();
        assertThat(machine.silicon.get("card").resets).hasSize(2);
        file = machine.open("card");
        assertThat(read(file, 0, 0, 4)).as("its registers are lost").isZero();
    }

    private VfioFile withRom(int length) {
        MemorySegment content = MemorySegment.ofArray(new byte[0x1000]);
        content.fill((byte) 0x11);
        byte[] head = {0x55, (byte) 0xAA};
        MemorySegment.copy(MemorySegment.ofArray(head), 0, content, 0, 2);
        byte[] data = {0x1C, 0, 0, 0, 'P', 'C', 'I', 'R'};
        MemorySegment.copy(MemorySegment.ofArray(data), 0, content, 0x18, 8);
        content.set(ValueLayout.JAVA_BYTE, 0x2C, (byte) length);
        content.set(ValueLayout.JAVA_BYTE, 0x2D, (byte) 0);
        content.set(ValueLayout.JAVA_BYTE, 0x31, (byte) 0x80);
        machine.plug(
                "rom",
                "sw0.1",
                0,
                FunctionLayout.of(0x1234, 3, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .rom(new RomLayout(0x1000, content))
                        .build());
        return machine.open("rom");
    }

    @Test
    @Rule("VF-25")
    @Rule("VF-26")
    @Rule("VF-27")
    void aRomIsReadWhateverItsEnableBitSaysAndOnesFollowItsImage() {
        VfioFile rom = withRom(4); // units of 512 bytes
        assertThat(rom.regionInfo(6)).isEqualTo(region(6, RegionInfo.READ, 0x1000));
        assertThat(read(rom, 6, 0, 4)).isEqualTo(0x1111_AA55L);
        assertThat(read(rom, 6, 0x7FE, 4)).as("at the end of the image").isEqualTo(0xFFFF_1111L);
        assertThat(machine.function("rom").readConfig(0x30, 4) & 1).as("decodes").isZero();
        assertThat(Passthrough.config(rom, 0x30, 4) & 1).isZero();
        Passthrough.config(rom, 0x30, 4, 0xFFFF_FFFFL);
        assertThat(Passthrough.config(rom, 0x30, 4)).isEqualTo(0xFFFF_F001L);
        assertThat(machine.function("rom").readConfig(0x30, 4) & 1).as("still").isZero();
        assertThat(read(rom, 6, 4, 2)).isEqualTo(0x1111);
        MemorySegment bytes = MemorySegment.ofArray(new byte[16]);
        assertThat(rom.pread(bytes, VfioFile.offset(6) + 0xFF8)).isEqualTo(8);
        expect(Errno.EINVAL, () -> rom.pread(bytes, VfioFile.offset(6) + 0x1000));
        expect(Errno.EINVAL, () -> rom.pwrite(bytes, VfioFile.offset(6)));
        Passthrough.memory(rom, false);
        expect(Errno.EIO, () -> rom.pread(bytes, VfioFile.offset(6)));
        Passthrough.memory(rom, true);
        rom.reset();
        assertThat(read(rom, 6, 0, 2)).as("after a reset").isEqualTo(0xAA55);
        rom.put();
    }

    @Test
    @Rule("VF-25")
    void aRomWithoutAnImageIsNoRegion() {
        VfioFile rom = withRom(0);
        assertThat(rom.regionInfo(6)).isEqualTo(region(6, 0, 0));
        MemorySegment bytes = MemorySegment.ofArray(new byte[16]);
        expect(Errno.EINVAL, () -> rom.pread(bytes, VfioFile.offset(6)));
        rom.put();
    }

    @Test
    @Rule("VF-21")
    @Rule("VF-22")
    void portsAndSmallBarsAreRegionsToo() {
        FunctionLayout layout =
                FunctionLayout.of(0x1234, 3, 0x00FF00)
                        .bar(BarLayout.registers(0, 256, false, false))
                        .bar(BarLayout.io(2, 32))
                        .build();
        machine.plug("small", "sw0.1", 0, layout);
        VfioFile small = machine.open("small");
        assertThat(small.regionInfo(0)).isEqualTo(region(0, READ_WRITE | RegionInfo.MMAP, 0x100));
        assertThat(small.regionInfo(2)).isEqualTo(region(2, READ_WRITE, 0x20));
        assertThat(small.regionInfo(7).size()).as("without PCIe").isEqualTo(256);
        Passthrough.config(small, 0x18, 4, 0xFFFF_FFFFL);
        assertThat(Passthrough.config(small, 0x18, 4)).as("32 ports").isEqualTo(0xFFFF_FFE1L);
        Passthrough.config(small, 0x10, 4, 0xFFFF_FFFFL);
        assertThat(Passthrough.config(small, 0x10, 4)).as("256 bytes").isEqualTo(0xFFFF_FF00L);
        assertThat(Passthrough.config(small, 0x06, 2) & 0x10).as("no capability").isZero();
        expect(Errno.EINVAL, () -> small.dmaBuf(DmaBufRequest.of(0, 0, 4096)));
        expect(Errno.EINVAL, () -> small.dmaBuf(DmaBufRequest.of(2, 0, 4096)));
        expect(Errno.EINVAL, () -> small.dmaBuf(DmaBufRequest.of(2, 0, 32)));
        expect(Errno.ENODEV, () -> small.dmaBuf(DmaBufRequest.of(1, 0, 4096)));
        expect(
                Errno.EINVAL,
                () -> {
                    try (AddressSpace process = machine.spaces.create("vmm")) {
                        int shared = AddressSpace.MAP_SHARED;
                        small.mmap(process, 0, 4096, RW, shared, VfioFile.offset(2));
                    }
                });
        write(small, 2, 4, 4, 0xABCD);
        assertThat(read(small, 2, 4, 4)).isEqualTo(0xABCD);
        Passthrough.memory(small, false);
        assertThat(read(small, 2, 4, 4)).as("ports stay").isEqualTo(0xABCD);
        small.put();
    }
}
