package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
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

    private static Rig rig(LiveExecution live, List<PortConfig> ports) {
        Rig rig = new Rig(live, ports, false);
        rig.root.addType(Shape::ofOptions, "shape", TypeVersion.of(1, 0, 0));
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

    private static List<SlotConfig> slots(Random random, Map<String, Integer> open, int most) {
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
                                Map.of("seed", random.nextInt(), "most", most)));
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
        Map<Integer, PcieFunction> ports = new HashMap<>();
        for (PcieFunction function : rig.root.functions()) {
            if (isPort(function)) {
                ports.put((int) function.readConfig(0x19, 1), function);
            }
        }
        for (PcieFunction function : rig.root.functions()) {
            List<String> mine = new ArrayList<>();
            if (isPort(function)) {
                long numbers = function.readConfig(0x18, 4);
                long primary = numbers & 0xFF;
                long secondary = numbers >>> 8 & 0xFF;
                long subordinate = numbers >>> 16 & 0xFF;
                assertThat(primary).isEqualTo(function.address().bus());
                assertThat(secondary).isGreaterThan(primary);
                assertThat(subordinate).isGreaterThanOrEqualTo(secondary);
            } else {
                function.enable(true, true);
                for (int bar = 0; bar < 6; bar++) {
                    mine.add(check(function, bar, ports, taken));
                }
            }
            all.put(function.slot(), mine);
        }
        return all;
    }

    /** {@return the size of a BAR; "-": it has no address} */
    private static String check(
            PcieFunction function,
            int bar,
            Map<Integer, PcieFunction> ports,
            TreeMap<Long, Long> taken) {
        AddressRange<PhysicalAddress> range;
        try {
            range = function.bar(bar);
        } catch (ErrnoException e) {
            return "-";
        }
        String what = "%s BAR %d, %s".formatted(function, bar, range);
        long first = range.first().value();
        long last = range.last().value();
        assertThat(first & range.bytes() - 1).as(what).isZero();
        Map.Entry<Long, Long> below = taken.floorEntry(last);
        assertThat(below == null || below.getValue() < first).as(what + " overlaps").isTrue();
        taken.put(first, last);
        assertThat(function.read(bar, 0, 1)).as(what).isEqualTo(bar + 1);
        assertThat(function.read(bar, range.bytes() - 1, 1)).as(what).isEqualTo(bar + 1);
        boolean above = (function.readConfig(0x10 + bar * 4, 1) & 0xF) == 0xC;
        int bus = function.address().bus();
        for (PcieFunction port = ports.get(bus); port != null; port = ports.get(bus)) {
            assertThat(first).as(what + " in " + port).isGreaterThanOrEqualTo(start(port, above));
            assertThat(last).as(what + " in " + port).isLessThanOrEqualTo(end(port, above));
            bus = port.address().bus();
        }
        return "0x%x".formatted(range.bytes());
    }

    private static boolean isPort(PcieFunction function) {
        return function.classCode() >>> 8 == 0x0604;
    }

    private static long start(PcieFunction port, boolean above) {
        return above
                ? port.readConfig(0x28, 4) << 32 | (port.readConfig(0x24, 2) & 0xFFF0) << 16
                : (port.readConfig(0x20, 2) & 0xFFF0) << 16;
    }

    private static long end(PcieFunction port, boolean above) {
        return 0xF_FFFF
                | (above
                        ? port.readConfig(0x2C, 4) << 32 | (port.readConfig(0x26, 2) & 0xFFF0) << 16
                        : (port.readConfig(0x22, 2) & 0xFFF0) << 16);
    }

    /** {@return what {@link #check} answers if every BAR has an address} */
    private static Map<String, List<String>> complete(List<SlotConfig> slots, int most) {
        Map<String, List<String>> all = new HashMap<>();
        for (SlotConfig slot : slots) {
            List<String> bars = new ArrayList<>(Collections.nCopies(6, "-"));
            long seed = ((Number) slot.options().get("seed")).longValue();
            Shape.bars(seed, most)
                    .forEach(bar -> bars.set(bar.index(), "0x%x".formatted(bar.bytes())));
            all.put(slot.name(), bars);
        }
        return all;
    }

    /** Drives every shape, and leaves in order only. */
    private static final class Driver implements PcieDriver {
        final Set<PcieFunction> driven = Collections.synchronizedSet(new HashSet<>());
        volatile boolean pulled;

        @Override
        public boolean matches(PcieFunction function) {
            return !isPort(function);
        }

        @Override
        public void probe(PcieFunction function) {
            function.enable(true, true);
            assertThat(driven.add(function)).isTrue();
        }

        @Override
        public void remove(PcieFunction function, boolean gone) {
            pulled |= gone;
            assertThat(driven.remove(function)).isTrue();
        }
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

    /** {@return whether the machine can hold the board for sure} */
    private static boolean board(long seed, int buses, int most) {
        Random random = new Random(seed);
        Map<String, Integer> open = new HashMap<>();
        List<PortConfig> ports = ports(random, buses, open);
        List<SlotConfig> slots = slots(random, open, most);
        boolean fits = Demand.fits(ports, slots, most);
        for (int round = 0; round < 4; round++) {
            String what = "seed %d, BARs to 2^%d, round %d".formatted(seed, most, round);
            arrive(what, ports, slots, random, round, fits ? complete(slots, most) : null);
            Collections.shuffle(slots, random);
            Collections.shuffle(ports, random);
        }
        return fits;
    }

    /** Round 0: the slots come first; 1: one by one; 2: each has a driver at once; 3: both. */
    private static void arrive(
            String what,
            List<PortConfig> ports,
            List<SlotConfig> slots,
            Random random,
            int round,
            @Nullable Map<String, List<String>> expected) {
        List<Shape> shapes = Collections.synchronizedList(new ArrayList<>());
        DeviceType type =
                slot -> {
                    Shape made = Shape.ofOptions(slot);
                    shapes.add(made);
                    return made;
                };
        Driver driver = new Driver();
        try (LiveExecution live = new LiveExecution("boards");
                Rig rig = new Rig(live, ports, false)) {
            if (round >= 2) {
                rig.root.addDriver(driver, "driver");
            }
            if (round % 2 == 1) {
                rig.root.addType(type, "shape", TypeVersion.of(1, 0, 0));
            }
            slots.forEach(rig.root::addSlot);
            if (round % 2 == 0) {
                rig.root.addType(type, "shape", TypeVersion.of(1, 0, 0));
            }
            rig.settle();
            assertThat(shapes).as(what).hasSameSizeAs(slots);
            complete(what, check(rig), expected);
            reachable(shapes, rig.page(0));
            for (SlotConfig slot : slots) { // out and in again, with the others in use
                if (random.nextInt(3) == 0) {
                    rig.root.removeSlot(slot);
                    rig.root.addSlot(slot);
                }
            }
            rig.settle();
            complete(what + ", again", check(rig), expected);
            assertThat(driver.driven).as(what).hasSize(round >= 2 ? slots.size() : 0);
            assertThat(driver.pulled).as(what).isFalse();
        }
    }

    private static void complete(
            String what,
            Map<String, List<String>> found,
            @Nullable Map<String, List<String>> expected) {
        if (expected != null) {
            assertThat(found).as(what).containsAllEntriesOf(expected);
        }
    }

    @Test
    @Rule("PC-40")
    @Rule("PC-42")
    @Rule("PC-44")
    @Rule("PC-48")
    void onARandomBoardEveryBarHasAnAddressInWhateverOrderTheDevicesCome() {
        int fitting = 0;
        for (long seed = 1; seed <= 100; seed++) {
            fitting += board(seed, 24, seed % 2 == 0 ? 36 : 40) ? 1 : 0;
        }
        assertThat(fitting).as("boards that the machine can hold").isGreaterThan(60);
    }

    @ParameterizedTest
    @CsvSource({"7, 40", "122, 36"})
    @Rule("PC-44")
    void boardsOnWhichTheOrderOnceMattered(long seed, int most) {
        assertThat(board(seed, 24, most)).isTrue();
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
