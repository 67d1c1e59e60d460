package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.ResetKind;
import org.peerlane.registers.Field;
import org.peerlane.registers.RegisterMap;

/**
 * The slot below a port: events, indicators, power (PC-68 to PC-70).
 *
 * <p><b>Events.</b> A write that clears an event which was not there clears none: software has not
 * read the register, and an event that it does not know of would be lost (as QEMU does).
 *
 * <p><b>Source.</b> PCIe 5.0, 6.7 and 7.5.3.9 to 7.5.3.11; QEMU {@code hw/pci/pcie.c}.
 */
public final class Slot extends ConfigBlock {
    /** What an indicator shows. */
    public static final int ON = 1;

    /** What an indicator shows while something is about to change. */
    public static final int BLINKS = 2;

    /** What an indicator shows when the slot may be touched. */
    public static final int OFF = 3;

    private static final RegisterMap<SlotRegister> MAP =
            new RegisterMap<>(SlotRegister.class, 0x3C);
    private static final int EVENTS = 0x11B; // bits of SLTSTA, and of their enables in SLTCTL
    private static final int COMMAND = 1 << 4;
    private static final int LINK_CHANGED = 1 << 8;
    private static final int LINK_ENABLE = 1 << 12;

    private final SlotLayout layout;
    private final Link link;

    /** Physical: no reset changes it. */
    private boolean present;

    private boolean noticed;

    Slot(ConfigSpace config, int express, SlotLayout layout, Link link) {
        super(config, express);
        this.layout = layout;
        this.link = link;
        define(MAP);
        cap(SlotRegister.HOT_PLUG, layout.hotPlug());
        cap(SlotRegister.SURPRISE, layout.surprise());
        cap(SlotRegister.BUTTON_PRESENT, layout.button());
        cap(SlotRegister.ATTENTION_INDICATOR_PRESENT, layout.indicators());
        cap(SlotRegister.POWER_INDICATOR_PRESENT, layout.indicators());
        cap(SlotRegister.POWER_CONTROLLER, layout.powerController());
        cap(SlotRegister.NO_COMMAND_COMPLETED, !layout.commandCompleted());
        preset(SlotRegister.SLTCAP, SlotRegister.SLOT_NUMBER, layout.number());
        limit(SlotRegister.SLTCTL, SlotRegister.POWER_OFF, layout.powerController() ? 1 : 0);
        physical();
    }

    private void cap(Field bit, boolean has) {
        preset(SlotRegister.SLTCAP, bit, has);
    }

    /** {@return whether something is in it} */
    public boolean present() {
        return present;
    }

    /** {@return whether what is in it has power} */
    public boolean powered() {
        return !is(SlotRegister.SLTCTL, SlotRegister.POWER_OFF);
    }

    /** {@return {@link #ON}, {@link #BLINKS} or {@link #OFF}} */
    public int powerIndicator() {
        return get(SlotRegister.SLTCTL, SlotRegister.POWER_INDICATOR);
    }

    /** {@return {@link #ON}, {@link #BLINKS} or {@link #OFF}} */
    public int attentionIndicator() {
        return get(SlotRegister.SLTCTL, SlotRegister.ATTENTION_INDICATOR);
    }

    /** Something is there from the start: no event. */
    public void populate() {
        present = true;
        physical();
    }

    /** While there is no power: says what the next reset finds in it, without a word. */
    public void hold(boolean something) {
        present = something;
    }

    /** Something is put in, or taken out without a word (PC-68): presence and link change. */
    public void presence(boolean there) {
        if (present == there) {
            return;
        }
        present = there;
        set(SlotRegister.SLTSTA, SlotRegister.PRESENT, there);
        event(SlotRegister.PRESENCE_CHANGED);
        follow();
    }

    /** The link is up if something with power is there. {@return whether that is a change} */
    boolean follow() {
        boolean was = link.active();
        link(present && powered() && !link.disabled());
        return link.active() != was;
    }

    /** The link below has come up or gone down; software is told. */
    public void link(boolean up) {
        if (link.active(up)) {
            event(SlotRegister.LINK_CHANGED);
        }
    }

    /**
     * Somebody presses the attention button: the polite way to ask for a removal (PC-70).
     *
     * @return whether it counts: not without button, nor while the power indicator blinks
     */
    public boolean pressButton() {
        if (!layout.button() || powerIndicator() == BLINKS) {
            return false;
        }
        event(SlotRegister.BUTTON);
        return true;
    }

    /** The power of the slot has failed. */
    public void powerFault() {
        event(SlotRegister.POWER_FAULT);
    }

    private void event(Field bit) {
        set(SlotRegister.SLTSTA, bit, 1);
    }

    /** {@return whether an event waits that software wants to hear of} */
    public boolean interrupts() {
        int control = (int) get(SlotRegister.SLTCTL);
        int wanted = control & EVENTS & ~LINK_CHANGED;
        wanted |= (control & LINK_ENABLE) != 0 ? LINK_CHANGED : 0;
        return is(SlotRegister.SLTCTL, SlotRegister.INTERRUPT_ENABLE)
                && ((int) get(SlotRegister.SLTSTA) & wanted) != 0;
    }

    /**
     * {@return whether {@link #interrupts} has become true since it was asked last: one message}
     * After each event and each {@link Effect#SLOT_INTERRUPT}.
     */
    public boolean notice() {
        boolean before = noticed;
        noticed = interrupts();
        return noticed && !before;
    }

    /** {@return whether power and indicator are off: what is in the slot may go} */
    private static boolean off(int control) {
        return SlotRegister.POWER_OFF.get(control) == 1
                && SlotRegister.POWER_INDICATOR.get(control) == OFF;
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (dword != SlotRegister.SLTCTL.offset()) {
            return 0;
        }
        int status = (int) of(SlotRegister.SLTSTA, before);
        int cleared = (int) of(SlotRegister.SLTSTA, x) & EVENTS;
        if ((cleared & ~status) != 0) {
            set(SlotRegister.SLTSTA, status);
        }
        int effects = Effect.SLOT_INTERRUPT;
        if (hit(SlotRegister.SLTCTL, dword, lanes)) {
            if (layout.commandCompleted()) {
                set(SlotRegister.SLTSTA, get(SlotRegister.SLTSTA) | COMMAND);
            }
            int control = (int) of(SlotRegister.SLTCTL, before);
            effects |= get(SlotRegister.SLTCTL) != control ? Effect.SLOT : 0;
            // not if it was off already: some systems write it again before they power up
            boolean goes = off((int) get(SlotRegister.SLTCTL)) && !off(control);
            effects |= present && goes ? Effect.EJECT : 0;
            effects |= follow() ? Effect.LINK : 0;
        }
        return effects;
    }

    @Override
    void reset(ResetKind kind) {
        noticed = false;
        physical();
    }

    /** What no reset changes: a slot with something in it starts with its power on. */
    private void physical() {
        set(SlotRegister.SLTSTA, SlotRegister.PRESENT, present);
        set(SlotRegister.SLTCTL, SlotRegister.POWER_INDICATOR, present ? ON : OFF);
        set(SlotRegister.SLTCTL, SlotRegister.POWER_OFF, !present && layout.powerController());
        link.active(present && !link.disabled());
    }
}
