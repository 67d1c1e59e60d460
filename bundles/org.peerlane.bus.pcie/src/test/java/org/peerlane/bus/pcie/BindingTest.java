package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.ErrnoException;

@DisplayName("Which driver a function has")
class BindingTest {
    private final TestMachine machine = new TestMachine();
    private final PcieRoot root = machine.root;
    private final PcieFunction function = machine.plug();
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void stop() {
        machine.close();
    }

    private final class Driver implements PcieDriver {
        private final String name;
        private final boolean matches;

        Driver(String name, boolean matches) {
            this.name = name;
            this.matches = matches;
            root.addDriver(this, name);
            machine.settle();
        }

        @Override
        public boolean matches(PcieFunction of) {
            return matches;
        }

        @Override
        public void probe(PcieFunction of) {
            log.add(name + " probes " + of.slot());
        }

        @Override
        public void remove(PcieFunction of, boolean gone) {
            log.add(name + " leaves " + of.slot());
        }
    }

    private void refused(String sentence, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void oneThatIsOverriddenByNameGoesToThatDriverAndBack() {
        Driver plain = new Driver("test", true);
        new Driver("vfio-pci", false);
        assertThat(root.driver(function)).isEqualTo("test");
        root.overrideDriver(function, "vfio-pci");
        assertThat(root.driver(function)).as("it stays").isEqualTo("test");
        root.unbindDriver(function);
        assertThat(root.driver(function)).isNull();
        root.bindDriver(function);
        assertThat(root.driver(function)).isEqualTo("vfio-pci");
        root.unbindDriver(function);
        root.overrideDriver(function, null);
        root.bindDriver(function);
        assertThat(root.driver(function)).isEqualTo(plain.name);
        assertThat(log)
                .containsExactly(
                        "test probes test0",
                        "test leaves test0",
                        "vfio-pci probes test0",
                        "vfio-pci leaves test0",
                        "test probes test0");
    }

    @Test
    void oneThatWasUnboundStaysWithoutUntilADriverComes() {
        new Driver("test", true);
        root.unbindDriver(function);
        machine.settle();
        assertThat(root.driver(function)).isNull();
        new Driver("other", true);
        assertThat(root.driver(function)).isEqualTo("other");
    }

    @Test
    void whenTheDriverOfItsNameLeavesItWaitsForThatOne() {
        Driver first = new Driver("vfio-pci", false);
        new Driver("test", false);
        root.overrideDriver(function, "vfio-pci");
        root.bindDriver(function);
        root.removeDriver(first);
        assertThat(root.driver(function)).isNull();
        new Driver("vfio-pci", false);
        assertThat(root.driver(function)).isEqualTo("vfio-pci");
    }

    @Test
    void whatCannotBeIsRefusedInOneSentence() {
        refused("ENODEV: test0 has no driver", () -> root.unbindDriver(function));
        refused("ENODEV: no driver takes test0", () -> root.bindDriver(function));
        root.overrideDriver(function, "vfio-pci");
        refused(
                "ENODEV: test0 is for driver vfio-pci, which is not there or refuses it; there are []",
                () -> root.bindDriver(function));
        new Driver("vfio-pci", false);
        refused("EBUSY: test0 is driven by vfio-pci", () -> root.bindDriver(function));
        root.pull("test0");
        refused("ENODEV: test0 is gone", () -> root.bindDriver(function));
        refused("ENODEV: test0 is gone", () -> root.unbindDriver(function));
        refused("ENODEV: test0 is gone", () -> root.overrideDriver(function, "test"));
    }

    @Test
    void whoIsPluggedInAgainIsForAnyDriver() {
        root.overrideDriver(function, "vfio-pci");
        root.eject("test0");
        root.plug("test0");
        new Driver("test", true);
        assertThat(root.driver(machine.function("test0"))).isEqualTo("test");
    }
}
