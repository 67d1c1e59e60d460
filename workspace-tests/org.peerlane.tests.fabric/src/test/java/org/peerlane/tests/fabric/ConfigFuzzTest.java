package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.testkit.Rule;

/**
 * Rubbish is written to config space, every width at every offset, while devices work. Afterwards
 * the same machine is brought back as its user would, and everything in it works.
 */
@DisplayName("Config space after rubbish was written")
class ConfigFuzzTest {
    private static final int SEEDS = 40;
    private static final int WRITES = 4_000;
    private static final int THREADS = 3;

    /** Below the switch, below the switch, and in the root complex. */
    private static final List<String> CARDS = List.of("card", "peer", "root");

    /** From the top to the bottom. */
    private static final List<String> PORTS = List.of("rp0", "sw0", "sw0.0", "sw0.1");

    private static final List<String> ALL = Stream.concat(CARDS.stream(), PORTS.stream()).toList();

    /** A machine, and how it was before. */
    private static final class Fuzzed {
        final Rig rig;
        final long page;
        final Map<String, PcieFunction> functions = new TreeMap<>();
        final Map<String, ConfigSpace> before = new TreeMap<>();

        Fuzzed(Rig rig, Card.Type type) {
            this.rig = rig;
            page = rig.page(0);
            rig.root.addType(type, "rich", TypeVersion.of(1, 0, 0));
            rig.root.addSlot(SlotConfig.below("sw0.0", "card", "rich", Map.of()));
            rig.root.addSlot(SlotConfig.below("sw0.1", "peer", "rich", Map.of()));
            rig.root.addSlot(new SlotConfig("root", "rich", "00:05.0", Map.of()));
            rig.settle();
            for (String card : CARDS) {
                rig.function(card).enable(true, true);
            }
            for (PcieFunction function : rig.root.functions()) {
                functions.put(function.slot(), function);
                before.put(function.slot(), new ConfigSpace(function));
            }
        }
    }

    private interface Remedy {
        void apply(Fuzzed machine);
    }

    private static Card.Type richCards() {
        return new Card.Type(
                new CapabilityLayout.Msi(4, true, true),
                new CapabilityLayout.SerialNumber(0x0011_2233_4455_6677L),
                new CapabilityLayout.Ari(0),
                new CapabilityLayout.Ats(8, true),
                new CapabilityLayout.Pri(8, false),
                new CapabilityLayout.Pasid(16, true, true),
                new CapabilityLayout.SrIov(
                        3, 1, 1, 0x0002, 1, List.of(BarLayout.registers(0, 4096, true, false))));
    }

    /** Rubbish into some functions, then the remedy, then everything must work. */
    private static void fuzz(int threads, List<String> targets, Remedy remedy) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Card.Type type = richCards();
            try (LiveExecution live = new LiveExecution("fuzz");
                    Rig rig = new Rig(live, Rig.SWITCH, (seed & 1) == 0, (seed & 2) == 0)) {
                Fuzzed machine = new Fuzzed(rig, type);
                List<EmulatedThread> writers = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    Random random = new Random(seed * THREADS + i);
                    writers.add(rig.thread("w" + i, () -> rubbish(machine, type, targets, random)));
                }
                writers.forEach(Rig::join);
                remedy.apply(machine);
                rig.settle();
                for (String card : CARDS) {
                    works(rig, type, card, CARDS.get((CARDS.indexOf(card) + 1) % CARDS.size()));
                }
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static void rubbish(
            Fuzzed machine, Card.Type type, List<String> targets, Random random) {
        long page = machine.page;
        for (int i = 0; i < WRITES; i++) {
            PcieFunction function =
                    machine.functions.get(targets.get(random.nextInt(targets.size())));
            int bytes = 1 << random.nextInt(4);
            int offset = random.nextInt(random.nextBoolean() ? 0x280 : 0x1010) - 4;
            long value = random.nextInt(4) == 0 ? -1 : random.nextLong();
            function.writeConfig(offset, bytes, value);
            long read = function.readConfig(offset, bytes);
            if (bytes < 8) {
                assertThat(read >>> bytes * 8).isZero();
            }
            if (i % 16 == 0) {
                Card card = type.made.get(random.nextInt(type.made.size()));
                long address = random.nextBoolean() ? page : random.nextLong();
                card.write(address, 0, 64);
                card.read(address, new byte[64]);
                card.slot.interrupts().raise(random.nextInt(3));
                function.read(random.nextInt(6), random.nextInt(0x100) * 4L, 4);
                function.write(random.nextInt(6), random.nextInt(0x100) * 4L, 4, value);
            }
        }
    }

    /** The card's registers, memory, DMA to RAM and to a peer, and an interrupt. */
    private static void works(Rig rig, Card.Type type, String name, String other) throws Exception {
        Card card = card(type, name);
        Card peer = card(type, other);
        PcieFunction function = rig.function(name);
        PcieFunction otherFunction = rig.function(other);
        function.enable(true, true);
        otherFunction.enable(true, true);
        assertThat(function.read(0, 0, 4)).as("%s: register", name).isZero();
        function.write(2, 0x100, 4, 0x1234_5678);
        assertThat(card.vram.get(ValueLayout.JAVA_INT_UNALIGNED, 0x100))
                .as("%s: memory", name)
                .isEqualTo(0x1234_5678);
        assertThat(function.read(2, 0x100, 4)).isEqualTo(0x1234_5678);

        long page = rig.page(0x11);
        byte[] seen = new byte[4096];
        try (Mapped ram = new Mapped(rig, function, page)) {
            assertThat(card.writeStatus(ram.address, 0x22, 2048)).isEqualTo(DmaResult.OK);
            assertThat(card.read(ram.address, seen)).as("%s: DMA", name).isEqualTo(DmaResult.OK);
        }
        assertThat(seen[0]).isEqualTo((byte) 0x22);
        assertThat(seen[2048]).isEqualTo((byte) 0x11);
        assertThat(rig.at(page + 2047)).isEqualTo((byte) 0x22);
        assertThat(rig.at(page + 2048)).isEqualTo((byte) 0x11);
        if (!rig.hasIommu()) { // with one, a driver would have to map the peer
            long vram = otherFunction.bar(2).first().value();
            assertThat(card.writeStatus(vram + 64, 0x33, 64)).isEqualTo(DmaResult.OK);
            assertThat(card.read(vram + 64, new byte[64])).isEqualTo(DmaResult.OK);
            assertThat(peer.vram.get(ValueLayout.JAVA_BYTE, 127))
                    .as("%s to %s", name, other)
                    .isEqualTo((byte) 0x33);
        }

        Semaphore handled = new Semaphore(0);
        try (AutoCloseable vector = function.requestInterrupt(1, handled::release)) {
            assertThat(vector).isNotNull();
            assertThat(card.slot.interrupts().raise(1))
                    .as("%s: vector", name)
                    .isEqualTo(DmaResult.OK);
            assertThat(handled.tryAcquire(10, TimeUnit.SECONDS)).as("%s: handler", name).isTrue();
        }
        assertThat(handled.availablePermits()).isZero();
    }

    private static Card card(Card.Type type, String slot) {
        return type.made.reversed().stream()
                .filter(c -> c.slot.name().equals(slot))
                .findFirst()
                .orElseThrow();
    }

    /** A page under the address by which a device reaches it. */
    private static final class Mapped implements AutoCloseable {
        final long address;
        private final Runnable unmap;

        Mapped(Rig rig, PcieFunction function, long page) {
            if (rig.hasIommu()) {
                DmaDevice dma = rig.iommu().device(function.address());
                address = dma.map(page, 4096, DmaDirection.BIDIRECTIONAL, 0);
                unmap = () -> dma.unmap(address(), 4096);
            } else {
                address = page;
                unmap = () -> {};
            }
        }

        private long address() {
            return address;
        }

        @Override
        public void close() {
            unmap.run();
        }
    }

    private static void restore(Fuzzed machine, String name) {
        machine.before.get(name).restore(machine.functions.get(name));
    }

    private static void replug(Fuzzed machine, String card) {
        if (machine.rig.root.functions().stream().anyMatch(f -> f.slot().equals(card))) {
            machine.rig.root.pull(card); // else its slot has lost power, and let it go
            machine.rig.settle();
        }
        machine.rig.root.plug(card);
        machine.rig.settle();
    }

    @Test
    @Rule("ER-39")
    @Rule("PC-2")
    void aFunctionLevelResetAndItsRegistersBringAFunctionBack() {
        fuzz(
                1,
                List.of("card"),
                machine -> {
                    PcieFunction function = machine.functions.get("card");
                    machine.before.get("card").powerOn(function);
                    Registers.reset(function);
                    restore(machine, "card");
                });
    }

    @Test
    @Rule("ER-39")
    @Rule("PC-2")
    void aResetByThePortAboveAndItsRegistersBringAFunctionBack() {
        fuzz(
                1,
                List.of("card"),
                machine -> {
                    Registers.resetBelow(machine.functions.get("sw0.0"));
                    restore(machine, "card");
                });
    }

    @Test
    @Rule("ER-39")
    @Rule("PC-2")
    void pullingAFunctionAndPluggingItInBringsItBack() {
        fuzz(1, List.of("card"), machine -> replug(machine, "card"));
    }

    /** Each port before what is below it. */
    private static void fromTheTop(Fuzzed machine) {
        for (String port : PORTS) {
            machine.rig.settle();
            if (!machine.functions.get(port).isPresent()) {
                machine.rig.root.plug("sw0"); // the slot above it had lost power
                machine.rig.settle();
            }
            restore(machine, port);
            Registers.resetBelow(machine.functions.get(port));
        }
        machine.rig.settle();
        for (String card : CARDS) {
            replug(machine, card);
        }
    }

    @Test
    @Rule("ER-39")
    @Rule("PC-2")
    void afterRubbishInEveryFunctionAResetFromTheTopBringsTheMachineBack() {
        fuzz(1, ALL, ConfigFuzzTest::fromTheTop);
    }

    @Test
    @Rule("ER-39")
    @Rule("PC-2")
    void soItDoesAfterRubbishFromSeveralThreadsAtOnce() {
        fuzz(THREADS, ALL, ConfigFuzzTest::fromTheTop);
    }
}
