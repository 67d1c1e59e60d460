package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Bad input")
class BadInputTest {
    private static final long[] LENGTHS = {0, 1, 3, 4, 7, 8, 64, 4095, 4096, 4097, 0x1_0001};

    /** A device whose handlers are a test's. */
    private static final class Hooked implements DeviceModel {
        final DeviceSlot slot;
        volatile LongSupplier onRead = () -> 0;
        volatile Runnable onWrite = () -> {};
        volatile Runnable onReset = () -> {};

        Hooked(DeviceSlot slot) {
            this.slot = slot;
        }

        @Override
        public FunctionLayout layout() {
            return FunctionLayout.of(0x1234, 0x0003, 0x00FF00)
                    .bar(BarLayout.registers(0, 4096, false, false))
                    .with(CapabilityLayout.Express.plain())
                    .build();
        }

        @Override
        public long read(int bar, long offset, int bytes) {
            return onRead.getAsLong();
        }

        @Override
        public void write(int bar, long offset, int bytes, long value) {
            onWrite.run();
        }

        @Override
        public void reset(ResetKind kind) {
            onReset.run();
        }

        @Override
        public void close() {}

        int dmaRead(long address) {
            MemorySegment local = MemorySegment.ofArray(new byte[4]);
            return DmaResult.status(slot.dma().read(address, 0, local, 0, 4));
        }
    }

    private static Hooked hooked(Rig rig, String name, String port) {
        Hooked[] made = new Hooked[1];
        rig.root.addType(
                slot -> {
                    made[0] = new Hooked(slot);
                    return made[0];
                },
                name,
                TypeVersion.of(1, 0, 0));
        rig.root.addSlot(SlotConfig.below(port, name, name, Map.of()));
        rig.settle();
        rig.function(name).enable(true, true);
        return made[0];
    }

    private static void inRig(Consumer<Rig> body) {
        try (LiveExecution live = new LiveExecution("bad");
                Rig rig = new Rig(live, Rig.SWITCH, false)) {
            body.accept(rig);
        }
    }

    @Test
    @Rule("ER-45")
    void whatADeviceThrowsFromAnyHandlerStaysInTheBus() {
        List<BiFunction<Rig, String, Error>> kinds =
                List.of(
                        (rig, why) -> new AssertionError(why),
                        (rig, why) -> new StackOverflowError(why),
                        (rig, why) -> new OutOfMemoryError(why),
                        (rig, why) -> new NoClassDefFoundError(why));
        for (BiFunction<Rig, String, Error> kind : kinds) {
            inRig(rig -> {
                Hooked device = hooked(rig, "hooked", "sw0.0");
                PcieFunction function = rig.function("hooked");
                Card peer = rig.plug("peer", "sw0.1");
                device.onRead =
                        () -> {
                            throw kind.apply(rig, "read");
                        };
                device.onWrite =
                        () -> {
                            throw kind.apply(rig, "write");
                        };
                device.onReset =
                        () -> {
                            throw kind.apply(rig, "reset");
                        };
                assertThat(function.read(0, 0, 4)).isEqualTo(0xFFFF_FFFFL);
                function.write(0, 0, 4, 1);
                long bar = function.bar(0).first().value();
                byte[] seen = new byte[4];
                assertThat(peer.read(bar, seen)).isEqualTo(DmaResult.OK);
                assertThat(seen).containsOnly(0xFF);
                assertThat(peer.writeStatus(bar, 1, 4)).isEqualTo(DmaResult.OK);
                assertThat(peer.read(bar, seen)).isEqualTo(DmaResult.OK); // the queue goes on
                Registers.reset(function);
                Registers.resetBelow(rig.function("sw0.0"));
                function.enable(true, true);
                assertThat(device.dmaRead(rig.page(0))).isEqualTo(DmaResult.OK);
            });
        }
    }

    @Test
    @Rule("ER-45")
    void aTypeThatThrowsWhateverItLikesDoesNotStopTheBus() {
        inRig(rig -> {
            rig.root.addType(
                    slot -> {
                        throw new StackOverflowError("create");
                    },
                    "bad",
                    TypeVersion.of(1, 0, 0));
            rig.root.addSlot(SlotConfig.below("sw0.0", "bad", "bad", Map.of()));
            rig.plug("card", "sw0.1");
            assertThat(rig.function("card").isPresent()).isTrue();
        });
    }

    @Explore(schedules = 1_000)
    @Rule("ER-11")
    void devicesThatReadEachOtherFromTheirHandlersEndInAnError(Execution execution) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Hooked one = hooked(rig, "one", "sw0.0");
            Hooked two = hooked(rig, "two", "sw0.1");
            long first = rig.function("one").bar(0).first().value();
            long second = rig.function("two").bar(0).first().value();
            one.onRead = () -> one.dmaRead(second);
            two.onRead = () -> two.dmaRead(first);
            assertThat(rig.function("one").read(0, 0, 4)).isEqualTo(DmaResult.OK);
            one.onWrite = () -> one.dmaRead(second);
            two.onWrite = () -> two.dmaRead(first);
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            one.slot.dma().write(second, 0, word, 0, 4);
            two.slot.dma().write(first, 0, word, 0, 4);
            assertThat(one.dmaRead(second)).isEqualTo(DmaResult.OK);
            assertThat(two.dmaRead(first)).isEqualTo(DmaResult.OK);
        }
    }

    @Test
    @Rule("PC-59")
    @Rule("ER-11")
    void aDeviceDoesNotReachItsOwnBar() {
        inRig(rig -> {
            Hooked device = hooked(rig, "hooked", "sw0.0");
            long own = rig.function("hooked").bar(0).first().value();
            device.onRead = () -> device.dmaRead(own);
            assertThat(rig.function("hooked").read(0, 0, 4))
                    .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        });
    }

    @Test
    @Rule("PC-19")
    void ofOverlappingBarsTheLowerFunctionNumberHasTheAddress() {
        inRig(rig -> {
            Card one = rig.plug("one", "00:04.0");
            Card two = rig.plug("two", "00:05.0");
            long base = Registers.base(rig.function("one"), 2);
            rig.function("two").writeConfig(Registers.BAR0 + 8, 4, base);
            rig.function("two").writeConfig(Registers.BAR0 + 12, 4, base >>> 32);
            rig.function("two").write(2, 0, 1, 0x22); // ends at the other
            Card three = rig.plug("three", "00:06.0");
            assertThat(three.writeStatus(base + 1, 0x33, 1)).isEqualTo(DmaResult.OK);
            assertThat(one.vram.get(ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 0x33);
            assertThat(two.vram.get(ValueLayout.JAVA_BYTE, 0)).isZero();
            assertThat(two.vram.get(ValueLayout.JAVA_BYTE, 1)).isZero();
        });
    }

    @Test
    @Rule("ER-10")
    @Rule("ER-44")
    @Rule("PC-66")
    void everySpecialAddressWithEveryLengthEndsInAStatus() {
        for (boolean iommu : new boolean[] {false, true}) {
            for (boolean queued : new boolean[] {false, true}) {
                try (LiveExecution live = new LiveExecution("bad");
                        Rig rig = new Rig(live, Rig.SWITCH, iommu, queued)) {
                    special(rig);
                }
            }
        }
    }

    private static void special(Rig rig) {
        Card card = rig.plug("card", "sw0.0");
        rig.plug("peer", "sw0.1");
        rig.plug("root", "00:05.0");
        long[] bases = {
            0,
            0xA_0000L,
            0x10_0000L,
            0x1F_FFFFL,
            0x20_0000L,
            rig.function("card").bar(0).first().value(),
            rig.function("card").bar(2).first().value(),
            rig.function("peer").bar(0).first().value(),
            rig.function("peer").bar(2).first().value(),
            rig.function("peer").bar(4).first().value(),
            rig.function("root").bar(0).first().value(),
            0xFEC0_0000L,
            0xFEE0_0000L,
            0xFEE0_0FFCL,
            0xFEEF_FFFFL,
            0xFFFF_FFFFL,
            1L << 40,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            -4096,
            -8,
            -1
        };
        MemorySegment local = MemorySegment.ofArray(new byte[0x1_0010]);
        for (long base : bases) {
            for (long shift = -8; shift <= 8; shift++) {
                for (long length : LENGTHS) {
                    long address = base + shift;
                    long write = card.slot.dma().write(address, 0, local, 0, length);
                    long read = card.slot.dma().read(address, 0, local, 0, length);
                    assertThat(DmaResult.bytes(read)).isBetween(0L, length);
                    if (DmaResult.isOk(read)) {
                        assertThat(DmaResult.bytes(read)).isEqualTo(length);
                    }
                    boolean wraps =
                            length > 0 && Long.compareUnsigned(address + (length - 1), address) < 0;
                    assertThat(DmaResult.status(write))
                            .isEqualTo(wraps ? DmaResult.UNSUPPORTED_REQUEST : DmaResult.OK);
                    if (wraps) {
                        assertThat(read).isEqualTo(write);
                    }
                }
            }
        }
    }
}
