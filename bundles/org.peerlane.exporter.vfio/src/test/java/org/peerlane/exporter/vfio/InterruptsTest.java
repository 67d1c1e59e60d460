package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.exporter.vfio.Passthrough.expect;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.IrqInfo;
import org.peerlane.vfio.api.IrqSet;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("Interrupts by eventfd")
class InterruptsTest {
    private static final long ONES = 0xFFFF_FFFFL;

    private final Passthrough machine = new Passthrough();
    private final EventFd event = new EventFd();
    private VfioFile file;

    @BeforeEach
    void open() {
        machine.plug("card", "sw0.0", 0, Passthrough.card());
        file = machine.open("card");
        Passthrough.config(file, Passthrough.COMMAND, 2, 6); // messages need bus master
    }

    @AfterEach
    void close() {
        file.put();
        assertThat(event.references()).as("references of the eventfd").isEqualTo(1);
        machine.close();
    }

    private int set(int action, int index, int start, EventFd... events) {
        return file.setIrqs(IrqSet.events(action, index, start, events));
    }

    private void none(int action, int index, int start, int count) {
        file.setIrqs(IrqSet.none(action, index, start, count));
    }

    private void arrives(String what, EventFd at) {
        Await.until(what, () -> at.take() != 0);
    }

    @Test
    @Rule("VF-60")
    void whatThereIs() {
        assertThat(file.irqInfo(IrqInfo.INTX)).isEqualTo(new IrqInfo(0, 1 | 2 | 4, 1));
        assertThat(file.irqInfo(IrqInfo.MSI)).isEqualTo(new IrqInfo(1, 1 | 8, 4));
        assertThat(file.irqInfo(IrqInfo.MSIX)).isEqualTo(new IrqInfo(2, 1, 4));
        assertThat(file.irqInfo(IrqInfo.ERR)).isEqualTo(new IrqInfo(3, 1 | 8, 1));
        assertThat(file.irqInfo(IrqInfo.REQ)).isEqualTo(new IrqInfo(4, 1 | 8, 1));
        expect(Errno.EINVAL, () -> file.irqInfo(5));
        machine.plug(
                "plain",
                "sw0.1",
                0,
                FunctionLayout.of(0x1234, 3, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .build());
        VfioFile plain = machine.open("plain");
        assertThat(plain.irqInfo(IrqInfo.INTX).count()).isZero();
        expect(Errno.EINVAL, () -> plain.irqInfo(IrqInfo.ERR));
        expect(
                Errno.EINVAL,
                () -> plain.setIrqs(IrqSet.events(IrqSet.TRIGGER, IrqInfo.INTX, 0, event)));
        plain.put();
    }

    @Test
    @Rule("VF-61")
    void flagsAndVectorsAreChecked() {
        List<Integer> bad =
                Arrays.asList(0, 8, 64 | 1 | 32, IrqSet.NONE | IrqSet.BOOL | IrqSet.TRIGGER);
        for (int flags : bad) {
            expect(
                    Errno.EINVAL,
                    () -> file.setIrqs(new IrqSet(flags, 1, 0, 1, List.of(), List.of())));
        }
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, 5, 0, 1));
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, IrqInfo.MSI, 4, 0));
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.MSI, 3, event, event));
        expect(
                Errno.EINVAL,
                () ->
                        file.setIrqs(
                                new IrqSet(
                                        IrqSet.EVENTFD | IrqSet.TRIGGER,
                                        1,
                                        0,
                                        2,
                                        List.of(event),
                                        List.of())));
        expect(Errno.ENOTTY, () -> none(IrqSet.MASK, IrqInfo.MSI, 0, 1));
        expect(Errno.ENOTTY, () -> none(IrqSet.UNMASK, IrqInfo.MSIX, 0, 1));
        expect(Errno.ENOTTY, () -> none(IrqSet.MASK, IrqInfo.ERR, 0, 1));
        expect(Errno.ENOTTY, () -> none(0, IrqInfo.REQ, 0, 1));
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, IrqInfo.MSI, 0, 1)); // not active
    }

    @Test
    @Rule("VF-62")
    @Rule("VF-64")
    void messagesOfMsiXComeByTheirVector() {
        EventFd second = new EventFd();
        assertThat(set(IrqSet.TRIGGER, IrqInfo.MSIX, 1, event, second)).isZero();
        var port = machine.slots.get("card").interrupts();
        port.raise(2);
        arrives("vector 2", second);
        assertThat(event.take()).isZero();
        port.raise(1);
        arrives("vector 1", event);
        port.raise(0); // set up, but has no eventfd: masked
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event));
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.INTX, 0, event));
        assertThat(set(IrqSet.TRIGGER, IrqInfo.MSIX, 1, (EventFd) null)).isZero();
        port.raise(1);
        port.raise(2);
        arrives("vector 2 again", second);
        assertThat(event.take()).as("no eventfd any more").isZero();
        long entry = Passthrough.config(file, Passthrough.capability(file, 0x11) + 4, 4) & ~7L;
        assertThat(machine.function("card").read(4, entry + 16 + 12, 4)).as("masked").isEqualTo(1);
        none(IrqSet.TRIGGER, IrqInfo.MSIX, 0, 0);
        assertThat(set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event)).isZero();
        port.raise(0);
        arrives("MSI", event);
        assertThat(second.references()).isEqualTo(1);
    }

    @Test
    @Rule("VF-64")
    void softwareCausesThemToo() {
        set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event, null);
        none(IrqSet.TRIGGER, IrqInfo.MSI, 0, 2);
        assertThat(event.take()).isEqualTo(1);
        file.setIrqs(
                new IrqSet(IrqSet.BOOL | IrqSet.TRIGGER, 1, 0, 2, List.of(), List.of(false, true)));
        assertThat(event.take()).isZero();
        none(IrqSet.TRIGGER, IrqInfo.MSI, 0, 3); // the third is not set up
        assertThat(event.take()).isEqualTo(1);
        assertThat(set(IrqSet.TRIGGER, IrqInfo.MSI, 2, (EventFd) null)).isZero();
        assertThat(set(IrqSet.TRIGGER, IrqInfo.MSI, 0)).as("no vector").isZero();
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.MSI, 2, event));
    }

    @Test
    @Rule("VF-39")
    void msiCanBeSwitchedOnInConfigSpaceOnceItIsSetUp() {
        int msi = Passthrough.capability(file, 0x05);
        set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event, event);
        Passthrough.config(file, msi + 2, 2, 0x21);
        assertThat(Passthrough.config(file, msi + 2, 2) & 0x71).as("two vectors").isEqualTo(0x11);
        none(IrqSet.TRIGGER, IrqInfo.MSI, 0, 0);
        Passthrough.config(file, msi + 2, 2, 0x21);
        assertThat(Passthrough.config(file, msi + 2, 2) & 0x71).isZero();
        set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event, event, event);
        Passthrough.config(file, msi + 2, 2, 0x21);
        assertThat(Passthrough.config(file, msi + 2, 2) & 0x71).as("four").isEqualTo(0x21);
    }

    @Test
    @Rule("VF-63")
    void theLineMasksItselfUntilItIsUnmasked() {
        var port = machine.slots.get("card").interrupts();
        set(IrqSet.TRIGGER, IrqInfo.INTX, 0, event);
        port.intx(true);
        arrives("the line", event);
        assertThat(machine.function("card").readConfig(4, 2) & 0x400).isEqualTo(0x400);
        assertThat(Passthrough.config(file, 4, 2) & 0x400).as("not the user's bit").isZero();
        assertThat(event.take()).as("masked").isZero();
        none(IrqSet.UNMASK, IrqInfo.INTX, 0, 1);
        arrives("the line is still asserted", event);
        port.intx(false);
        none(IrqSet.UNMASK, IrqInfo.INTX, 0, 1);
        none(IrqSet.MASK, IrqInfo.INTX, 0, 1);
        port.intx(true);
        assertThat(machine.function("card").readConfig(6, 2) & 8).as("pending").isEqualTo(8);
        none(IrqSet.UNMASK, IrqInfo.INTX, 0, 1);
        arrives("what was held back", event);
        port.intx(false);
        expect(Errno.ENOTTY, () -> set(IrqSet.MASK, IrqInfo.INTX, 0, event));
        none(IrqSet.TRIGGER, IrqInfo.INTX, 0, 0);
        assertThat(machine.function("card").readConfig(4, 2) & 0x400).isZero();
        expect(Errno.EINVAL, () -> none(IrqSet.UNMASK, IrqInfo.INTX, 0, 1));
    }

    @Test
    @Rule("VF-62")
    @Rule("VF-63")
    @Rule("VF-64")
    void whatIsNotActiveCannotBeSwitchedOffAndWhatIsEmptyNotOn() {
        for (int kind : new int[] {IrqInfo.INTX, IrqInfo.MSI, IrqInfo.MSIX}) {
            expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, kind, 0, 0));
        }
        expect(Errno.ERANGE, () -> set(IrqSet.TRIGGER, IrqInfo.MSI, 0));
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.INTX, 0));
        expect(Errno.EINVAL, () -> set(IrqSet.MASK, IrqInfo.INTX, 0, event)); // not active
        set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event);
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, IrqInfo.INTX, 0, 0));
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, IrqInfo.MSIX, 0, 0));
    }

    @Test
    @Rule("VF-64")
    void aVectorThatIsMoreThanMsiHasTakesTheEventfdsOfTheCallAway() {
        EventFd second = new EventFd();
        set(IrqSet.TRIGGER, IrqInfo.MSI, 0, event, event);
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.MSI, 1, second, second));
        none(IrqSet.TRIGGER, IrqInfo.MSI, 0, 2);
        assertThat(event.take()).as("vector 0 only").isEqualTo(1);
        assertThat(second.references()).isEqualTo(1);
    }

    @Test
    @Rule("VF-63")
    void oneEventfdUnmasks() {
        EventFd unmask = new EventFd();
        set(IrqSet.TRIGGER, IrqInfo.INTX, 0, event);
        set(IrqSet.UNMASK, IrqInfo.INTX, 0, unmask);
        expect(Errno.EBUSY, () -> set(IrqSet.UNMASK, IrqInfo.INTX, 0, event));
        set(IrqSet.UNMASK, IrqInfo.INTX, 0, (EventFd) null);
        assertThat(unmask.references()).isEqualTo(1);
    }

    @Test
    @Rule("VF-63")
    void anEventfdUnmasksTheLine() {
        var port = machine.slots.get("card").interrupts();
        EventFd unmask = new EventFd();
        set(IrqSet.TRIGGER, IrqInfo.INTX, 0, event);
        set(IrqSet.UNMASK, IrqInfo.INTX, 0, unmask);
        port.intx(true);
        arrives("the line", event);
        unmask.signal();
        arrives("the line again", event);
        unmask.signal();
        arrives("and again", event);
        port.intx(false);
        none(IrqSet.TRIGGER, IrqInfo.INTX, 0, 0);
        assertThat(unmask.references()).isEqualTo(1);
    }

    @Test
    @Rule("VF-36")
    void theCommandRegisterHoldsTheLineBack() {
        var port = machine.slots.get("card").interrupts();
        set(IrqSet.TRIGGER, IrqInfo.INTX, 0, event);
        Passthrough.config(file, 4, 2, 0x406);
        port.intx(true);
        assertThat(machine.function("card").readConfig(6, 2) & 8).isEqualTo(8);
        assertThat(event.take()).isZero();
        Passthrough.config(file, 4, 2, 0x006);
        arrives("the line", event);
        port.intx(false);
    }

    @Test
    @Rule("VF-51")
    void whatIsSetUpSurvivesAReset() {
        var port = machine.slots.get("card").interrupts();
        set(IrqSet.TRIGGER, IrqInfo.MSIX, 0, event);
        file.reset();
        port.raise(0);
        arrives("after a reset", event);
    }

    @Test
    @Rule("VF-65")
    void noticesAreAnEventfdEach() {
        set(IrqSet.TRIGGER, IrqInfo.ERR, 0, event);
        none(IrqSet.TRIGGER, IrqInfo.ERR, 0, 1);
        assertThat(event.take()).isEqualTo(1);
        none(IrqSet.TRIGGER, IrqInfo.ERR, 0, 0);
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, IrqInfo.ERR, 0, 1));
        expect(Errno.EINVAL, () -> none(IrqSet.TRIGGER, IrqInfo.ERR, 0, 0));
        file.setIrqs(
                new IrqSet(
                        IrqSet.BOOL | IrqSet.TRIGGER, IrqInfo.ERR, 0, 1, List.of(), List.of(true)));
        expect(Errno.EINVAL, () -> set(IrqSet.TRIGGER, IrqInfo.ERR, 0));
        set(IrqSet.TRIGGER, IrqInfo.REQ, 0, event);
        machine.root.unbindDriver(machine.function("card"));
        assertThat(event.take()).as("it is wanted back").isEqualTo(1);
    }

    @Test
    @Rule("VF-60")
    @Rule("VF-65")
    void anErrorThatNothingCorrectsIsANotice() {
        EventFd others = new EventFd();
        machine.plug("other", "sw0.1", 0, Passthrough.card());
        VfioFile other = machine.open("other");
        set(IrqSet.TRIGGER, IrqInfo.ERR, 0, event);
        other.setIrqs(IrqSet.events(IrqSet.TRIGGER, IrqInfo.ERR, 0, others));
        PcieFunction port = machine.function("sw0.0");
        int express = (int) port.readConfig(0x34, 1);
        while (port.readConfig(express, 1) != 0x10) {
            express = (int) port.readConfig(express + 1, 1);
        }
        port.writeConfig(express + 8, 2, 0xF); // it reports all that goes wrong
        PcieFunction function = machine.function("card");
        function.write(0, 0, 4, 1);
        function.enable(false, false);
        assertThat(function.read(0, 0, 4)).as("a read is corrected by its answer").isEqualTo(ONES);
        assertThat(event.take()).as("all is well").isZero();
        function.write(0, 0, 4, 1);
        arrives("a write that nobody takes", event);
        assertThat(others.take()).as("below another port").isZero();
        other.put();
    }

    // ---- the other way round

    @Test
    @Rule("VF-66")
    void anEventfdWritesARegister() {
        file.ioEventFd(VfioFile.offset(0) + 8, 4, 0x77, event);
        expect(Errno.EEXIST, () -> file.ioEventFd(VfioFile.offset(0) + 8, 4, 0x77, event));
        EventFd other = new EventFd();
        file.ioEventFd(VfioFile.offset(0) + 8, 4, 0x78, other);
        event.signal();
        Await.until("the write", () -> Passthrough.read(file, 0, 8, 4) == 0x77);
        other.signal();
        Await.until("the other write", () -> Passthrough.read(file, 0, 8, 4) == 0x78);
        event.signal();
        Await.until("it works again", () -> Passthrough.read(file, 0, 8, 4) == 0x77);
        file.ioEventFd(VfioFile.offset(0) + 8, 4, 0x78, null);
        assertThat(other.references()).isEqualTo(1);
        expect(Errno.ENODEV, () -> file.ioEventFd(VfioFile.offset(0) + 8, 4, 0x78, null));
    }

    @Test
    @Rule("VF-66")
    void anEventfdWritesNothingWhileMemoryIsOff() {
        file.ioEventFd(VfioFile.offset(0) + 8, 4, 0x77, event);
        Passthrough.memory(file, false);
        event.signal();
        Await.until(
                "it has been dealt with",
                () ->
                        machine.execution.work().stream()
                                .noneMatch(work -> work.name().equals("vfio.ioeventfd")));
        Passthrough.memory(file, true);
        assertThat(Passthrough.read(file, 0, 8, 4)).isZero();
    }

    @Test
    @Rule("VF-66")
    void whereNothingCanBeWrittenIsRefused() {
        long table = Passthrough.config(file, Passthrough.capability(file, 0x11) + 4, 4) & ~7L;
        for (int bytes : new int[] {0, 3, 8, 16}) {
            expect(Errno.EINVAL, () -> file.ioEventFd(VfioFile.offset(0), bytes, 0, event));
        }
        expect(Errno.EINVAL, () -> file.ioEventFd(VfioFile.offset(7), 4, 0, event));
        expect(Errno.EINVAL, () -> file.ioEventFd(VfioFile.offset(1), 4, 0, event));
        expect(Errno.EINVAL, () -> file.ioEventFd(VfioFile.offset(0) + 4093, 4, 0, event));
        expect(Errno.EINVAL, () -> file.ioEventFd(VfioFile.offset(4) + table, 4, 0, event));
        for (int i = 0; i < 1000; i++) {
            file.ioEventFd(VfioFile.offset(0) + 4, 4, i, event);
        }
        expect(Errno.ENOSPC, () -> file.ioEventFd(VfioFile.offset(0) + 4, 4, 1000, event));
    }
}
