package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.AtsPort;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PageRequest;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Rule;

@DisplayName("Page requests and what they leave in config space")
class PageRequestTest {
    private static final int FAILED = 1;
    private static final int UNEXPECTED = 1 << 1;
    private static final int STOPPED = 1 << 8;
    private static final int LAST = PageRequest.READ | PageRequest.LAST;

    private final TestMachine machine = new TestMachine(true);
    private final List<String> requests = new ArrayList<>();
    private final AtsPort ats;
    private final PcieFunction card;
    private final int requester;
    private final int pri;

    PageRequestTest() {
        FunctionLayout layout =
                FunctionLayout.of(TestMachine.VENDOR, 1, 0x030000)
                        .with(CapabilityLayout.Express.plain())
                        .with(new CapabilityLayout.Ats(1, true))
                        .with(new CapabilityLayout.Pri(8, false))
                        .build();
        TestDevice.Type type = new TestDevice.Type(layout);
        machine.root.translation(
                new DmaTranslation() {
                    @Override
                    public int translate(int from, int how, long at, boolean write, Target into) {
                        return DmaResult.UNSUPPORTED_REQUEST;
                    }

                    @Override
                    public void pageRequest(int from, int how, long at, int flags, int group) {
                        requests.add("%x in group %d".formatted(at, group));
                    }
                });
        machine.root.addType(type, "ats", TypeVersion.of(1, 0, 0));
        machine.root.addSlot(new SlotConfig("card", "ats", "00:04.0", Map.of()));
        machine.settle();
        card = machine.function("card");
        card.enable(true, true);
        ats = type.last().slot.ats();
        requester = ((BusFunction) card).requesterId();
        pri = Capabilities.extended((BusFunction) card, 0x13);
        card.writeConfig(pri + 0x0C, 4, 8);
        enable(true);
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void enable(boolean on) {
        card.writeConfig(pri + 4, 2, on ? 1 : 0);
    }

    private long status() {
        return card.readConfig(pri + 6, 2) & (FAILED | UNEXPECTED | STOPPED);
    }

    private int ask(int group) {
        return ats.requestPage(0x1000L * group, 0, LAST, group);
    }

    @Test
    @Rule("IM-15")
    @Rule("PT-62")
    void afterAFailureTheFunctionSaysSoAndAsksNoMoreUntilItIsEnabledAnew() {
        assertThat(ask(1)).isEqualTo(DmaResult.OK);
        assertThat(ask(2)).isEqualTo(DmaResult.OK);
        assertThat(status()).isZero();
        machine.root.respond(requester, -1, 1, PageRequest.FAILURE);
        assertThat(status()).isEqualTo(FAILED | STOPPED);
        assertThat(ask(3)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        machine.root.respond(requester, -1, 2, PageRequest.SUCCESS);
        assertThat(status()).as("no answer is expected any more").isEqualTo(FAILED | STOPPED);
        card.writeConfig(pri + 6, 2, FAILED);
        assertThat(ask(3)).as("clearing the bit is not enough").isNotEqualTo(DmaResult.OK);
        enable(false);
        enable(true);
        assertThat(status()).isZero();
        assertThat(ask(3)).isEqualTo(DmaResult.OK);
        assertThat(requests)
                .containsExactly("1000 in group 1", "2000 in group 2", "3000 in group 3");
    }

    @Test
    @Rule("IM-15")
    void anAnswerThatNobodyAskedForIsNoted() {
        assertThat(ask(1)).isEqualTo(DmaResult.OK);
        machine.root.respond(requester, -1, 2, PageRequest.SUCCESS);
        assertThat(status()).isEqualTo(UNEXPECTED);
        card.writeConfig(pri + 6, 2, UNEXPECTED);
        assertThat(status()).isZero();
        machine.root.respond(requester, -1, 1, PageRequest.SUCCESS);
        assertThat(status()).as("this one was asked for").isZero();
        machine.root.respond(requester, -1, 1, PageRequest.SUCCESS);
        assertThat(status()).as("once").isEqualTo(UNEXPECTED);
        assertThat(ask(512)).as("nine bits").isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
    }

    @Test
    @Rule("IM-15")
    void aDisabledFunctionHasStoppedOnceItsLastRequestIsAnswered() {
        assertThat(ask(1)).isEqualTo(DmaResult.OK);
        assertThat(ask(2)).isEqualTo(DmaResult.OK);
        enable(false);
        assertThat(status()).isZero();
        machine.root.respond(requester, -1, 1, PageRequest.SUCCESS);
        assertThat(status()).isZero();
        machine.root.respond(requester, -1, 2, PageRequest.INVALID);
        assertThat(status()).isEqualTo(STOPPED);
    }

    @Test
    @Rule("IM-15")
    void aResetOfTheInterfaceForgetsWhatIsOutstanding() {
        for (int group = 0; group < 8; group++) {
            assertThat(ask(group)).isEqualTo(DmaResult.OK);
        }
        assertThat(ask(8)).as("as many as software allows").isNotEqualTo(DmaResult.OK);
        enable(false);
        card.writeConfig(pri + 4, 2, 2);
        assertThat(status()).isEqualTo(STOPPED);
        enable(true);
        assertThat(ask(8)).isEqualTo(DmaResult.OK);
        machine.root.respond(requester, -1, 0, PageRequest.SUCCESS);
        assertThat(status()).isEqualTo(UNEXPECTED);
    }
}
