package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
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
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.testkit.Rule;

@DisplayName("Boards of every shape")
class BoardsTest {
    private static final int MOST_DEPTH = 8;

    /** A device of BARs only; a register reads as its BAR and offset. */
    private static final class Shape implements DeviceModel {
        final DeviceSlot slot;
        private final List<BarLayout> bars;

        Shape(DeviceSlot slot) {
            this.slot = slot;
            bars = shape(((Number) slot.options().get("seed")).longValue());
        }

        @Override
        public FunctionLayout layout() {
            FunctionLayout.Builder layout =
                    FunctionLayout.of(0x1234, 0x0002, 0x00FF00)
                            .with(CapabilityLayout.Express.plain());
            bars.forEach(layout::bar);
            return layout.build();
        }

        @Override
        public long read(int bar, long offset, int bytes) {
            return bar + 1;
        }

        @Override
        public void write(int bar, long offset, int bytes, long value) {}

        @Override
        public void reset(ResetKind kind) {}

        @Override
        public void close() {}
    }

    /** {@return BARs of 128 bytes to 2^40, of every kind} */
    private static List<BarLayout> shape(long seed) {
        Random random = new Random(seed);
        List<BarLayout> bars = new ArrayList<>();
        int index = 0;
        while (index < 6 && random.nextInt(3) != 0) {
            boolean wide = index < 5 && random.nextBoolean();
            boolean prefetchable = random.nextBoolean();
            // below 4 GiB there is room for about 1000 MiB on the whole board
            int most = wide && prefetchable ? 41 : 19;
            long bytes = 1L << 7 + random.nextInt(most - 7);
            bars.add(BarLayout.registers(index, bytes, wide, prefetchable));
            index += wide ? 2 : 1;
        }
        return bars;
    }

    private static Rig rig(LiveExecution live, List<PortConfig> ports) {
        Rig rig = new Rig(live, ports, false);
        rig.root.addType(Shape::new, "shape", TypeVersion.of(1, 0, 0));
        return rig;
    }

    /** Ports at random, at most so many buses and so deep. */
    private static List<PortConfig> ports(Random random, int most, Map<String, Integer> open) {
        List<PortConfig> ports = new ArrayList<>();
        int buses = 1;
        int roots = 1 + random.nextInt(8);
        for (int i = 0; i < roots; i++) {
            ports.add(new PortConfig("rp" + i, "00:%02x.0".formatted(i + 1), 0, true, true));
            open.put("rp" + i, 1);
            buses++;
        }
        for (int i = 0; i < 40; i++) {
            List<String> places = new ArrayList<>(new TreeMap<>(open).keySet());
            String at = places.get(random.nextInt(places.size()));
            int down = 1 + random.nextInt(6);
            int depth = open.get(at);
            if (depth + 2 <= MOST_DEPTH && buses + 1 + down <= most) {
                open.remove(at);
                ports.add(new PortConfig("sw" + i, at, down, true, true));
                for (int j = 0; j < down; j++) {
                    open.put("sw%d.%d".formatted(i, j), depth + 2);
                }
                buses += 1 + down;
            }
        }
        Collections.shuffle(ports, random);
        return ports;
    }

    private static List<SlotConfig> slots(Random random, Map<String, Integer> open) {
        List<SlotConfig> slots = new ArrayList<>();
        for (String port : new TreeMap<>(open).keySet()) {
            int functions = random.nextInt(4);
            for (int f = 0; f < functions; f++) {
                slots.add(
                        new SlotConfig(
                                port + "-" + f,
                                "shape",
                                "",
                                port,
                                f,
                                Map.of("seed", random.nextInt())));
            }
        }
        return slots;
    }

    /** {@return the highest bus below a port; 0: none} */
    private static long last(PcieFunction function) {
        return function.classCode() >>> 8 == 0x0604 ? function.readConfig(0x1A, 1) : 0;
    }

    /** Every claim that holds of a board at rest. {@return the BARs of each function} */
    private static Map<String, List<String>> check(Rig rig) {
        Map<String, List<String>> all = new HashMap<>();
        TreeMap<Long, Long> taken = new TreeMap<>();
        for (PcieFunction function : rig.root.functions()) {
            List<String> mine = new ArrayList<>();
            if (function.classCode() >>> 8 != 0x0604) {
                function.enable(true, true);
                for (int bar = 0; bar < 6; bar++) {
                    AddressRange<PhysicalAddress> range;
                    try {
                        range = function.bar(bar);
                    } catch (ErrnoException e) {
                        mine.add("-");
                        continue;
                    }
                    mine.add("0x%x".formatted(range.bytes()));
                    long first = range.first().value();
                    long last = range.last().value();
                    assertThat(first & range.bytes() - 1).isZero();
                    Map.Entry<Long, Long> below = taken.floorEntry(last);
                    assertThat(below == null || below.getValue() < first)
                            .as("%s BAR %d overlaps", function, bar)
                            .isTrue();
                    taken.put(first, last);
                    assertThat(function.read(bar, 0, 1)).isEqualTo(bar + 1);
                    assertThat(function.read(bar, range.bytes() - 1, 1)).isEqualTo(bar + 1);
                }
            } else {
                long numbers = function.readConfig(0x18, 4);
                long primary = numbers & 0xFF;
                long secondary = numbers >>> 8 & 0xFF;
                long subordinate = numbers >>> 16 & 0xFF;
                assertThat(primary).isEqualTo(function.address().bus());
                assertThat(secondary).isGreaterThan(primary);
                assertThat(subordinate).isGreaterThanOrEqualTo(secondary);
            }
            all.put(function.slot(), mine);
        }
        return all;
    }

    private static void reachable(List<Shape> shapes, long page) {
        for (Shape shape : shapes) {
            long result = shape.slot.dma().write(page, 0, MemorySegment.ofArray(new byte[8]), 0, 8);
            assertThat(DmaResult.status(result)).isEqualTo(DmaResult.OK);
            assertThat(
                            DmaResult.status(
                                    shape.slot
                                            .dma()
                                            .read(
                                                    page,
                                                    0,
                                                    MemorySegment.ofArray(new byte[8]),
                                                    0,
                                                    8)))
                    .isEqualTo(DmaResult.OK);
        }
    }

    private static void board(long seed, int most) {
        Random random = new Random(seed);
        Map<String, Integer> open = new HashMap<>();
        List<PortConfig> ports = ports(random, most, open);
        List<SlotConfig> slots = slots(random, open);
        for (int round = 0; round < 2; round++) {
            List<Shape> shapes = Collections.synchronizedList(new ArrayList<>());
            try (LiveExecution live = new LiveExecution("boards");
                    Rig rig = new Rig(live, ports, false)) {
                rig.root.addType(
                        slot -> {
                            Shape made = new Shape(slot);
                            shapes.add(made);
                            return made;
                        },
                        "shape",
                        TypeVersion.of(1, 0, 0));
                slots.forEach(rig.root::addSlot);
                rig.settle();
                assertThat(shapes).as("seed %d", seed).hasSameSizeAs(slots);
                check(rig);
                reachable(shapes, rig.page(0));
                for (SlotConfig slot : slots) { // out and in again
                    if (random.nextInt(3) == 0) {
                        rig.root.removeSlot(slot);
                        rig.root.addSlot(slot);
                    }
                }
                rig.settle();
                check(rig);
            }
            Collections.shuffle(slots, random);
        }
    }

    @Test
    @Rule("PC-40")
    @Rule("PC-42")
    @Rule("PC-44")
    @Rule("PC-48")
    void onARandomBoardEveryFunctionIsReachedAndNoTwoBarsOverlap() {
        for (long seed = 1; seed <= 200; seed++) {
            board(seed, 24);
        }
    }

    @Test
    @Rule("PC-40")
    @Rule("PC-45")
    void aBoardMayHaveEveryBusNumberAndBeEightDeep() {
        List<PortConfig> ports = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String root = "rp" + i;
            ports.add(new PortConfig(root, "00:%02x.0".formatted(i + 1), 0, true, true));
            // a chain of switches: 8 ports one below the other
            String at = root;
            for (int depth = 0; depth < 3; depth++) {
                String name = "sw%d%d".formatted(i, depth);
                ports.add(new PortConfig(name, at, 4, true, true));
                at = name + ".3";
            }
        }
        int buses = 1 + 4 * (1 + 3 * 5);
        for (int i = 0; buses < 256; i++) {
            ports.add(new PortConfig("wide" + i, "00:%02x.0".formatted(0x10 + i), 0, true, true));
            int down = Math.min(32, 256 - buses - 2);
            if (down > 0) {
                ports.add(new PortConfig("ws" + i, "wide" + i, down, true, true));
            }
            buses += down > 0 ? 2 + down : 1;
        }
        try (LiveExecution live = new LiveExecution("boards");
                Rig rig = rig(live, ports)) {
            int count = 0;
            for (int i = 0; i < 4; i++) {
                for (int f = 0; f < 8; f++) {
                    rig.root.addSlot(
                            new SlotConfig(
                                    "deep" + i + f,
                                    "shape",
                                    "",
                                    "sw%d2.3".formatted(i),
                                    f,
                                    Map.of("seed", i * 8 + f)));
                    count++;
                }
            }
            rig.settle();
            assertThat(rig.root.functions().stream().mapToLong(BoardsTest::last).max())
                    .hasValue(0xFF);
            assertThat(rig.root.functions().stream().filter(f -> f.slot().startsWith("deep")))
                    .hasSize(count);
            check(rig);
        }
    }

    @Test
    @Rule("PC-70")
    void aThousandTimesOutAndInTakesNoMoreAddressesThanOnce() {
        try (LiveExecution live = new LiveExecution("boards");
                Rig rig = rig(live, Rig.SWITCH)) {
            SlotConfig big = new SlotConfig("a", "shape", "", "sw0.0", 0, Map.of("seed", 17));
            SlotConfig other = new SlotConfig("b", "shape", "", "sw0.1", 0, Map.of("seed", 23));
            rig.root.addSlot(big);
            rig.root.addSlot(other);
            rig.settle();
            Map<String, List<String>> first = check(rig);
            for (int i = 0; i < 1000; i++) {
                rig.root.removeSlot(i % 3 == 0 ? other : big);
                rig.root.addSlot(i % 3 == 0 ? other : big);
            }
            rig.settle();
            assertThat(check(rig)).isEqualTo(first);
        }
    }
}
