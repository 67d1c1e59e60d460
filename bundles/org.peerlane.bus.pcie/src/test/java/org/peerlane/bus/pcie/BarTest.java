package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.config.ConfigSpace;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("BARs")
class BarTest {
    private static final long ONES = 0xFFFF_FFFFL;
    private static final int BAR0 = 0x10;
    private static final int BAR2 = 0x18;

    private final TestMachine machine = new TestMachine();
    private final PcieFunction function = machine.plug();

    @AfterEach
    void stop() {
        machine.close();
    }

    private long mmio() {
        return function.read(0, 0, 4);
    }

    @Rule("PC-12")
    @Rule("PC-14")
    @Test
    void allOnesReadBackTheSizeAndTheType() {
        function.enable(false, false);
        function.writeConfig(BAR0, 4, ONES);
        function.writeConfig(BAR2, 4, ONES);
        function.writeConfig(BAR2 + 4, 4, ONES);
        function.writeConfig(BAR0 + 4, 4, ONES);
        assertThat(function.readConfig(BAR0, 4)).isEqualTo(0xFFFF_F000L);
        assertThat(function.readConfig(BAR2, 4)).isEqualTo(0xFFFF_000CL);
        assertThat(function.readConfig(BAR2 + 4, 4)).isEqualTo(ONES);
        assertThat(function.readConfig(BAR0 + 4, 4)).as("BAR 1 is not implemented").isZero();
        function.writeConfig(BAR2, 4, 0);
        assertThat(function.readConfig(BAR2, 4)).as("type bits stay").isEqualTo(0xC);
    }

    @Rule("PC-13")
    @ParameterizedTest
    @CsvSource({"64", "0", "192", "4097"})
    void aBarIsAPowerOfTwoOfAtLeast128(long bytes) {
        assertThatThrownBy(() -> BarLayout.registers(0, bytes, false, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(String.valueOf(bytes));
    }

    @Rule("PC-15")
    @Test
    void aWideBarOwnsTheNextRegister() {
        assertThatThrownBy(() -> BarLayout.registers(5, 4096, true, false))
                .isInstanceOf(IllegalArgumentException.class);
        List<BarLayout> overlapping =
                List.of(
                        BarLayout.registers(0, 4096, true, false),
                        BarLayout.registers(1, 4096, false, false));
        assertThatThrownBy(() -> new FunctionLayout(0x1234, 1, 0, 0, 0, 0, overlapping, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Rule("PC-15")
    @Test
    void aHalfWrittenWideBarDoesNotDecode() {
        long base = function.bar(2).first().value();
        function.write(2, 0, 4, 0x1234);
        assertThat(function.read(2, 0, 4)).isEqualTo(0x1234);
        function.writeConfig(BAR2, 4, 0x4000_0000L);
        assertThat(function.read(2, 0, 4)).isEqualTo(ONES);
        assertThat(routed(base & ~ONES | 0x4000_0000L)).as("the state in between").isFalse();
        function.writeConfig(BAR2 + 4, 4, 0x81);
        assertThat(function.read(2, 0, 4)).isEqualTo(0x1234);
        assertThat(routed(0x81_4000_0000L)).isTrue();
        assertThat(routed(base)).isFalse();
    }

    private boolean routed(long address) {
        PcieFunction peer =
                machine.root.functions().size() > 1
                        ? machine.function("test1")
                        : machine.plug("test1", "00:05.0");
        assertThat(peer.isPresent()).isTrue();
        long result = machine.read(machine.type.last(), address, TestMachine.filled(4, 0));
        return TestMachine.status(result) == 0;
    }

    @Rule("PC-16")
    @Test
    void sizingIsNotAMove() {
        function.writeConfig(BAR0, 4, ONES);
        assertThat(mmio()).as("all-ones is no address").isEqualTo(ONES);
        assertThat(routed(0xFFFF_F000L)).isFalse();
        function.writeConfig(BAR0, 4, function.bar(0).first().value());
        assertThat(mmio()).isZero();
    }

    @Rule("PC-17")
    @Test
    void decodeNeedsMemoryEnable() {
        assertThat(mmio()).isZero();
        function.enable(false, true);
        assertThat(mmio()).isEqualTo(ONES);
        function.write(0, 0, 4, 5);
        assertThat(machine.device().calls).noneMatch(call -> call.startsWith("write"));
        function.enable(true, true);
        assertThat(mmio()).isZero();
    }

    @Rule("PC-17")
    @ParameterizedTest
    @CsvSource({"0x10, 0", "0x10, 0xFFFFF000"})
    void addressZeroAndTheEndOf32BitsDoNotDecode(int register, long value) {
        function.writeConfig(register, 4, value);
        assertThat(mmio()).isEqualTo(ONES);
    }

    @Rule("PC-17")
    @Test
    void aWideBarAtTheEndOf64BitsDoesNotDecode() {
        function.writeConfig(BAR2, 4, 0xFFFF_0000L);
        function.writeConfig(BAR2 + 4, 4, ONES);
        assertThat(function.read(2, 0, 4)).isEqualTo(ONES);
    }

    @Rule("PC-19")
    @Test
    void ofTwoThatOverlapTheLowerAddressAnswers() {
        PcieFunction other = machine.plug("test1", "00:05.0");
        other.writeConfig(BAR0, 4, function.bar(0).first().value());
        assertThat(other.read(0, 0, 4)).isEqualTo(ONES);
        assertThat(mmio()).isZero();
        function.enable(false, false);
        assertThat(other.read(0, 0, 4)).isZero();
    }

    @Rule("PC-20")
    @Test
    void anUndefinedRegisterOfADecodedBarIsZero() {
        assertThat(function.read(0, 0xFF8, 8)).isZero();
    }

    @Rule("PC-66")
    @ParameterizedTest
    @CsvSource({
        "0, 1, 2",
        "0, 4, 8",
        "0, 4096, 4",
        "0, -4, 4",
        "0, 0, 3",
        "0, 0, 16",
        "1, 0, 4",
        "-1, 0, 4",
        "6, 0, 4",
        "2, 65536, 1",
        "2, 65533, 4"
    })
    void anAccessThatNobodyTakesReadsOnesAndIsDropped(int bar, long offset, int bytes) {
        assertThat(function.read(bar, offset, bytes)).isEqualTo(ConfigSpace.ones(bytes));
        function.write(bar, offset, bytes, 1);
        assertThat(machine.device().calls).isEmpty();
    }

    @Rule("PC-77")
    @Test
    void aRegisterAccessReachesTheDeviceOnceWithItsSize() {
        function.write(0, 8, 2, 0xABCD_1234L);
        assertThat(function.read(0, 8, 1)).isEqualTo(0x34);
        assertThat(machine.device().calls).containsExactly("write 0 0x8/2 0x1234", "read 0 0x8/1");
    }

    @Test
    void aDeviceThatThrowsReadsOnesAndNothingLeavesTheBus() {
        machine.device().failure = new IllegalStateException("broken");
        assertThat(function.read(0, 0, 4)).isEqualTo(ONES);
        function.write(0, 0, 4, 1);
        machine.device().failure = null;
        assertThat(mmio()).isZero();
    }

    @Rule("PC-44")
    @Test
    void theEnumeratorPutsOnly64BitPrefetchableBarsAbove4GiB() {
        assertThat(function.bar(0).first().value()).isBetween(0xC000_0000L, 0xFEBF_FFFFL);
        assertThat(function.bar(2).first().value()).isGreaterThanOrEqualTo(0x80_0000_0000L);
        assertThat(function.bar(0).first().value() % 4096).isZero();
        assertThat(function.bar(2).first().value() % 0x1_0000).isZero();
        assertThat(function.bar(2).bytes()).isEqualTo(0x1_0000);
        assertThatThrownBy(() -> function.bar(1))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith("ENODEV");
    }

    @Test
    void aBarThatFitsNowhereStaysWithoutAnAddressAndTheOthersGetTheirs() {
        var layout =
                new FunctionLayout(
                        0x1234,
                        2,
                        0,
                        0,
                        0,
                        0,
                        List.of(
                                BarLayout.registers(0, 4096, false, false),
                                BarLayout.registers(1, 1L << 31, false, false)),
                        0);
        machine.root.addType(new TestDevice.Type(layout), "big", TypeVersion.of(1, 0, 0));
        machine.root.addSlot(new SlotConfig("big0", "big", "00:06.0", java.util.Map.of()));
        machine.settle();
        PcieFunction big = machine.function("big0");
        big.enable(true, false);
        assertThatThrownBy(() -> big.bar(1)).hasMessageContaining("BAR 1 with an address");
        assertThat(big.read(1, 0, 4)).isEqualTo(ONES);
        assertThat(big.read(0, 0, 4)).isZero();
    }

    @Test
    void addressesOfADepartedFunctionAreGivenOutAgain() {
        long base = function.bar(0).first().value();
        machine.root.removeType(machine.type);
        machine.root.addType(machine.type, "test", TypeVersion.of(1, 0, 0));
        machine.settle();
        assertThat(machine.function("test0").bar(0).first().value()).isEqualTo(base);
    }
}
