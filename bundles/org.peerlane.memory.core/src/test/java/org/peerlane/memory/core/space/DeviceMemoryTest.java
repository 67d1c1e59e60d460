package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.anonymous;
import static org.peerlane.memory.core.space.Board.expect;
import static org.peerlane.memory.core.space.Board.expectBus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.RegisterAccess;
import org.peerlane.memory.api.Window;

@DisplayName("Device memory that a process maps")
class DeviceMemoryTest {
    private static final long BAR = 0xC000_0000L;

    private final Board board = new Board(new LiveExecution("test"), 16);
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
    private final Mappable object =
            board.spaces.object(
                    "bar",
                    MappableKind.FRAMES,
                    fault -> {
                        fault.insert(fault.address(), BAR + fault.offset(), PAGE, true);
                        return FaultResult.DONE;
                    });

    @AfterEach
    void nothingLeaks() {
        board.close();
    }

    private static AddressRange<PhysicalAddress> range(long at, long bytes) {
        return AddressRange.ofLength(new PhysicalAddress(at), bytes);
    }

    @Test
    void memoryOfADeviceIsReadAndWrittenUntilItLeaves() {
        Arena arena = Arena.ofShared();
        MemorySegment bar = arena.allocate(2 * PAGE, PAGE);
        DeviceMemory device = board.spaces.provide("gpu", range(BAR, 2 * PAGE), bar);
        CpuMapping mapping = space.map(0, 4 * PAGE, READ_WRITE, MAP_SHARED, object, 0);
        long at = mapping.first();
        space.store(at + PAGE - 4, 8, 0x1122_3344_5566_7788L);
        assertThat(bar.get(ValueLayout.JAVA_LONG_UNALIGNED, PAGE - 4))
                .isEqualTo(0x1122_3344_5566_7788L);
        assertThat(space.entry(at) & Pte.SPECIAL).isNotZero();
        expect(Errno.EFAULT, () -> space.pin(at, 1, 0));
        expectBus(at + 2 * PAGE, () -> space.load(at + 2 * PAGE, 1)); // past the BAR
        Window window = mapping.window(at, true);
        assertThat(window.segment().byteSize()).isEqualTo(2 * PAGE);

        device.close();
        arena.close();
        device.close();
        expectBus(at, () -> space.load(at, 8));
        expectBus(at, () -> space.copy(at, at + PAGE, 8));
        assertThat(window.isOpen()).isFalse();
        expectBus(at, window::segment);
        expectBus(at, () -> window.read(0, Board.bytes(0), 0, 1));
    }

    @Test
    void aSegmentThatIsClosedUnaskedIsABusErrorToo() {
        Arena arena = Arena.ofShared();
        board.spaces.provide("gpu", range(BAR, PAGE), arena.allocate(PAGE, PAGE));
        CpuMapping mapping = space.map(0, PAGE, READ_WRITE, MAP_SHARED, object, 0);
        space.store(mapping.first(), 8, 1);
        arena.close();
        expectBus(mapping.first(), () -> space.load(mapping.first(), 8));
        expectBus(mapping.first(), () -> space.store(mapping.first(), 8, 1));
        expectBus(mapping.first(), () -> space.write(mapping.first(), Board.bytes(1), 0, 1));
        MemorySegment closed = arena(Arena.ofConfined());
        assertThatIllegalStateException()
                .as("the caller's own mistake is the caller's")
                .isThrownBy(() -> space.write(mapping.first(), closed, 0, 1));
    }

    private static MemorySegment arena(Arena arena) {
        MemorySegment segment = arena.allocate(8);
        arena.close();
        return segment;
    }

    @Test
    void registersSeeAlignedAccessesOnlyAndHaveNoWindow() {
        List<String> seen = new ArrayList<>();
        board.spaces.provide(
                "nvme",
                range(BAR, PAGE),
                new RegisterAccess() {
                    @Override
                    public long read(long physical, int width) {
                        seen.add("read %d@%x".formatted(width, physical - BAR));
                        return 0xffff_ffff_ffff_ff00L | physical & 0xff;
                    }

                    @Override
                    public void write(long physical, int width, long value) {
                        seen.add("write %d@%x=%x".formatted(width, physical - BAR, value));
                    }
                });
        CpuMapping mapping = space.map(0, PAGE, READ_WRITE, MAP_SHARED, object, 0);
        CpuMapping ram = anonymous(space, 1);
        long at = mapping.first();
        assertThat(space.load(at + 4, 4)).isEqualTo(0xffff_ff04L);
        assertThat(space.load(at + 2, 4)).isEqualTo(0xff04_ff02L);
        space.store(at + 8, 8, -2);
        space.store(at + 0x11, 2, 0xabcd);
        assertThat(seen)
                .containsExactly(
                        "read 4@4",
                        "read 2@2",
                        "read 2@4",
                        "write 8@8=fffffffffffffffe",
                        "write 1@11=cd",
                        "write 1@12=ab");
        seen.clear();
        byte[] bytes = new byte[13];
        space.read(at + 3, MemorySegment.ofArray(bytes), 0, 13);
        assertThat(seen).containsExactly("read 1@3", "read 4@4", "read 8@8");
        assertThat(bytes[1]).isEqualTo((byte) 4);
        seen.clear();
        space.copy(ram.first(), at + 0x10, 12);
        assertThat(seen).containsExactly("write 8@10=0", "write 4@18=0");
        expectBus(at, () -> mapping.window(at, false));
    }

    /** A device with registers, all of which read 0x77. */
    private DeviceMemory registers() {
        return board.spaces.provide(
                "gpu",
                range(BAR, PAGE),
                new RegisterAccess() {
                    @Override
                    public long read(long physical, int width) {
                        return 0x77;
                    }

                    @Override
                    public void write(long physical, int width, long value) {}
                });
    }

    @Test
    void registersHaveMemoryBehindThemForATime() {
        DeviceMemory device = registers();
        CpuMapping mapping = space.map(0, PAGE, READ_WRITE, MAP_SHARED, object, 0);
        long at = mapping.first();
        assertThat(space.load(at, 1)).isEqualTo(0x77);
        MemorySegment bytes = Arena.ofAuto().allocate(PAGE, PAGE);
        device.back(bytes);
        space.store(at, 8, 5);
        assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
        Window window = mapping.window(at, true);
        assertThat(window.segment().byteSize()).isEqualTo(PAGE);

        device.back(null);
        assertThat(window.isOpen()).isFalse();
        assertThat(space.load(at, 1)).isEqualTo(0x77);
        space.store(at, 8, 6);
        assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
        byte[] one = new byte[1];
        window.read(0, MemorySegment.ofArray(one), 0, 1);
        assertThat(one[0]).as("the window goes to the registers").isEqualTo((byte) 0x77);
        expectBus(at, window::segment);

        device.back(bytes);
        assertThat(window.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
        device.close();
        device.back(bytes);
        expectBus(at, () -> space.load(at, 1));
        assertThat(window.isOpen()).isFalse();
    }

    @Test
    void onlyMemoryThatFitsIsPutBehindRegisters() {
        DeviceMemory device = registers();
        MemorySegment bytes = Arena.ofAuto().allocate(2 * PAGE, PAGE);
        expect(Errno.EINVAL, () -> device.back(bytes));
        expect(Errno.EINVAL, () -> device.back(MemorySegment.ofArray(new byte[(int) PAGE])));
        DeviceMemory memory = board.spaces.provide("ram", range(BAR + PAGE, 2 * PAGE), bytes);
        expect(Errno.EINVAL, () -> memory.back(null));
    }

    @Test
    void aWindowInAChannelHoldsUpTheDeviceAndItsUserIsNamed() throws Exception {
        long bytes = 256 * PAGE; // more than a pipe takes
        Arena arena = Arena.ofShared();
        DeviceMemory device =
                board.spaces.provide("gpu", range(BAR, bytes), arena.allocate(bytes, PAGE));
        Mappable whole =
                board.spaces.object(
                        "vram",
                        MappableKind.FRAMES,
                        fault -> {
                            fault.insert(fault.mapping().first(), BAR, bytes, true);
                            return FaultResult.DONE;
                        });
        CpuMapping mapping = space.map(0, bytes, READ_WRITE, MAP_SHARED, whole, 0);
        Window window = mapping.window(mapping.first(), false);
        Pipe pipe = Pipe.open();
        EmulatedThread user =
                board.execution.start(
                        ThreadKind.POLLING, "user", () -> writeAll(pipe, window.segment()));
        ByteBuffer first = ByteBuffer.allocate(1);
        assertThat(pipe.source().read(first)).isOne(); // it is in the call now

        whole.unmapRange(0, Long.MAX_VALUE); // goes on without it
        assertThat(space.entry(mapping.first())).isZero();
        assertThat(window.isOpen()).isTrue();
        assertThatIllegalStateException()
                .isThrownBy(device::close)
                .withMessageContaining("cat")
                .withMessageContaining("gpu");
        for (long read = 1; read < bytes; ) {
            read += pipe.source().read(ByteBuffer.allocate(1 << 16));
        }
        user.join();
        whole.unmapRange(0, Long.MAX_VALUE);
        assertThat(window.isOpen()).isFalse();
        arena.close();
        pipe.source().close();
        pipe.sink().close();
    }

    private static void writeAll(Pipe pipe, MemorySegment segment) {
        ByteBuffer buffer = segment.asByteBuffer();
        try {
            while (buffer.hasRemaining()) {
                pipe.sink().write(buffer);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void addressesAreTakenOnce() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(PAGE, PAGE);
            DeviceMemory one = board.spaces.provide("one", range(BAR, PAGE), segment);
            expect(Errno.EBUSY, () -> board.spaces.provide("two", range(BAR, PAGE), segment));
            expect(Errno.EBUSY, () -> board.spaces.provide("ram", range(0, PAGE), segment));
            expect(Errno.EINVAL, () -> board.spaces.provide("long", range(BAR, 1), segment));
            expect(
                    Errno.EINVAL,
                    () -> board.spaces.provide("heap", range(BAR + PAGE, 1), Board.bytes(1)));
            expect(Errno.EINVAL, () -> board.spaces.provide("high", range(-PAGE, PAGE), segment));
            one.close();
            board.spaces.provide("two", range(BAR, PAGE), segment).close();
        }
    }
}
