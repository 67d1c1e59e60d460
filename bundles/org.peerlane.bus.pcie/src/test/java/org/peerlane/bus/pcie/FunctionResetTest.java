package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.FunctionReset;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Resets that give the settings back")
class FunctionResetTest {
    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(new PortConfig("rp0", "00:02.0", 0, false, false, 0)),
                    false);

    private final Map<String, TestDevice> devices = new HashMap<>();

    @AfterEach
    void stop() {
        machine.close();
    }

    private PcieFunction add(SlotConfig slot, boolean keepsStateInD3hot) {
        FunctionLayout layout =
                FunctionLayout.of(TestMachine.VENDOR, 1, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .with(
                                new CapabilityLayout.PowerManagement(
                                        false, false, keepsStateInD3hot, 0))
                        .build();
        return add(slot, layout);
    }

    private PcieFunction add(SlotConfig slot, FunctionLayout layout) {
        TestDevice.Type type = new TestDevice.Type(layout);
        machine.root.addType(type, slot.device(), TypeVersion.of(1, 0, 0));
        machine.root.addSlot(slot);
        machine.settle();
        PcieFunction function = machine.function(slot.name());
        function.enable(true, true);
        devices.put(slot.name(), type.last());
        return function;
    }

    private FunctionReset reset(PcieFunction function) {
        return new FunctionReset(machine.root.functions(), function);
    }

    private void isAsItWas(PcieFunction function, long bar) {
        assertThat(function.readConfig(Offsets.BAR0, 4)).isEqualTo(bar);
        assertThat(function.readConfig(Offsets.COMMAND, 2)).isEqualTo(Offsets.COMMAND_BME | 2);
    }

    @Test
    @Rule("PC-25")
    void theWayToD3hotAndBackIsAResetOfWhatKeepsNothing() {
        PcieFunction function = add(new SlotConfig("a", "soft", "00:05.0", Map.of()), false);
        long bar = function.readConfig(Offsets.BAR0, 4);
        assertThat(reset(function).isPossible()).isTrue();
        assertThat(reset(function).byAnyMethod()).isEqualTo("reset by power state");
        assertThat(devices.get("a").calls).containsExactly("reset POWER");
        isAsItWas(function, bar);
    }

    @Test
    @Rule("PC-25")
    void whoKeepsItsStateInD3hotAndIsOnARootBusCannotBeReset() {
        PcieFunction function = add(new SlotConfig("a", "hard", "00:05.0", Map.of()), true);
        assertThat(reset(function).isPossible()).isFalse();
        assertThat(reset(function).set()).isEmpty();
        assertThatThrownBy(() -> reset(function).byAnyMethod())
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ENOTTY: a is on a root bus");
        assertThat(devices.get("a").calls).isEmpty();
    }

    @Test
    @Rule("PC-61")
    void advancedFeaturesAreAWayToAFunctionLevelReset() {
        FunctionLayout layout =
                FunctionLayout.of(TestMachine.VENDOR, 1, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .with(new CapabilityLayout.AdvancedFeatures())
                        .build();
        PcieFunction function = add(new SlotConfig("a", "features", "00:05.0", Map.of()), layout);
        long bar = function.readConfig(Offsets.BAR0, 4);
        assertThat(reset(function).byAnyMethod()).isEqualTo("function-level reset");
        assertThat(devices.get("a").calls).containsExactly("reset FLR");
        isAsItWas(function, bar);
    }

    @Test
    @Rule("PC-64")
    void aPortResetsAllFunctionsBelowAndEachGetsItsSettingsBack() {
        PcieFunction one = add(SlotConfig.below("rp0", "a", "one", Map.of()), true);
        PcieFunction other = add(new SlotConfig("b", "two", "", "rp0", 1, Map.of()), true);
        long bar = one.readConfig(Offsets.BAR0, 4);
        long otherBar = other.readConfig(Offsets.BAR0, 4);
        assertThat(reset(one).set()).containsExactly(one, other);
        assertThat(reset(one).isPossible()).isFalse();
        assertThatThrownBy(() -> reset(one).hot()).hasMessageContaining("b is, too");
        assertThat(reset(one).hotSet()).isEqualTo("hot reset by rp0");
        assertThat(devices.get("a").calls).containsExactly("reset HOT");
        assertThat(devices.get("b").calls).containsExactly("reset HOT");
        isAsItWas(one, bar);
        isAsItWas(other, otherBar);
    }
}
