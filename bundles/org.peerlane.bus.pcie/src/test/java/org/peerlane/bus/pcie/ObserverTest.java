package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.TestMachine.filled;
import static org.peerlane.bus.pcie.TestMachine.status;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Rule;

@DisplayName("Who is shown every request")
class ObserverTest {
    private static final long BASE = TestMemory.BASE;
    private static final long END = TestMemory.END;

    private final TestMachine machine = new TestMachine();
    private final PcieFunction function = machine.plug();
    private final List<String> seen = new ArrayList<>();

    /** Numbers the requests from 1 up. */
    private final DmaObserver observer =
            new DmaObserver() {
                private long number;

                @Override
                public long begins(
                        int requester, int attributes, long address, long bytes, boolean write) {
                    assertThat(requester).isEqualTo(function.address().requesterId());
                    seen.add(
                            "%s %d at %d"
                                    .formatted(write ? "write" : "read", bytes, address - BASE));
                    return ++number;
                }

                @Override
                public void ended(long token, long address, long bytes, boolean arrived) {
                    seen.add(
                            "%d: %d at %d %s"
                                    .formatted(
                                            token,
                                            bytes,
                                            address - BASE,
                                            arrived ? "arrived" : "lost"));
                }
            };

    @AfterEach
    void stop() {
        machine.close();
    }

    @Test
    @Rule("PC-73")
    void eachRequestStaysInAPageAndEnds() {
        machine.root.observer(observer);
        machine.write(machine.device(), BASE + 4000, filled(5000, 1));
        machine.read(machine.device(), BASE, filled(8, 1));
        assertThat(seen)
                .containsExactly(
                        "write 96 at 4000",
                        "1: 96 at 4000 arrived",
                        "write 4096 at 4096",
                        "2: 4096 at 4096 arrived",
                        "write 808 at 8192",
                        "3: 808 at 8192 arrived",
                        "read 8 at 0",
                        "4: 8 at 0 arrived");
        machine.root.observerGone(observer);
        machine.write(machine.device(), BASE, filled(8, 1));
        assertThat(seen).hasSize(8);
    }

    @Test
    @Rule("PC-66")
    void whatNobodyTakesIsLostAndTheFunctionIsNotToldSo() {
        machine.root.observer(observer);
        long end = END - BASE;
        assertThat(machine.write(machine.device(), END - 8, filled(16, 1))).isEqualTo(16);
        assertThat(status(machine.read(machine.device(), END, filled(16, 1))))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(seen)
                .containsExactly(
                        "write 8 at " + (end - 8),
                        "1: 8 at %d arrived".formatted(end - 8),
                        "write 8 at " + end,
                        "2: 8 at %d lost".formatted(end),
                        "read 16 at " + end,
                        "3: 16 at %d lost".formatted(end));
    }

    @Test
    void oneThatThrowsIsTakenOffAndTheRequestGoesOn() {
        machine.root.observer(
                new DmaObserver() {
                    @Override
                    public long begins(
                            int requester,
                            int attributes,
                            long address,
                            long bytes,
                            boolean write) {
                        seen.add("begins");
                        throw new IllegalStateException("an observer's mistake");
                    }

                    @Override
                    public void ended(long token, long address, long bytes, boolean arrived) {}
                });
        assertThat(machine.write(machine.device(), BASE, filled(8192, 1))).isEqualTo(8192);
        assertThat(seen).containsExactly("begins");
    }
}
