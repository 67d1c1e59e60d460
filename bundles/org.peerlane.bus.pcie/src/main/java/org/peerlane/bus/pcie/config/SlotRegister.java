package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;
import static org.peerlane.registers.Field.wo;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** The slot below a port, from the start of its PCI Express capability (PC-69, PC-70). */
enum SlotRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    SLTCAP(0x14, 4, 0,
            ro(31, 19, "SLOT_NUMBER"),
            ro(18, 18, "NO_COMMAND_COMPLETED"),
            ro(17, 17, "INTERLOCK_PRESENT"),
            rsvd(16, 7),
            ro(6, 6, "HOT_PLUG"),
            ro(5, 5, "SURPRISE"),
            ro(4, 4, "POWER_INDICATOR_PRESENT"),
            ro(3, 3, "ATTENTION_INDICATOR_PRESENT"),
            rsvd(2, 2),
            ro(1, 1, "POWER_CONTROLLER"),
            ro(0, 0, "BUTTON_PRESENT")),
    SLTCTL(0x18, 2, 0x03C0,
            rsvd(15, 13),
            rw(12, 12, "LINK_CHANGE_ENABLE"),
            wo(11, 11, "TOGGLE_INTERLOCK"),
            rw(10, 10, "POWER_OFF"),
            rw(9, 8, "POWER_INDICATOR"), // 1 on, 2 blinks, 3 off
            rw(7, 6, "ATTENTION_INDICATOR"),
            rw(5, 5, "INTERRUPT_ENABLE"),
            rw(4, 4, "COMMAND_ENABLE"),
            rw(3, 3, "PRESENCE_ENABLE"),
            rsvd(2, 2),
            rw(1, 1, "POWER_FAULT_ENABLE"),
            rw(0, 0, "BUTTON_ENABLE")),
    SLTSTA(0x1A, 2, 0,
            rsvd(15, 9),
            w1c(8, 8, "LINK_CHANGED"),
            ro(7, 7, "INTERLOCK"),
            ro(6, 6, "PRESENT"),
            rsvd(5, 5),
            w1c(4, 4, "COMMAND_COMPLETED"),
            w1c(3, 3, "PRESENCE_CHANGED"),
            rsvd(2, 2),
            w1c(1, 1, "POWER_FAULT"),
            w1c(0, 0, "BUTTON"));
    // spotless:on

    static final Field SLOT_NUMBER = SLTCAP.field("SLOT_NUMBER");
    static final Field NO_COMMAND_COMPLETED = SLTCAP.field("NO_COMMAND_COMPLETED");
    static final Field INTERLOCK_PRESENT = SLTCAP.field("INTERLOCK_PRESENT");
    static final Field HOT_PLUG = SLTCAP.field("HOT_PLUG");
    static final Field SURPRISE = SLTCAP.field("SURPRISE");
    static final Field POWER_INDICATOR_PRESENT = SLTCAP.field("POWER_INDICATOR_PRESENT");
    static final Field ATTENTION_INDICATOR_PRESENT = SLTCAP.field("ATTENTION_INDICATOR_PRESENT");
    static final Field POWER_CONTROLLER = SLTCAP.field("POWER_CONTROLLER");
    static final Field BUTTON_PRESENT = SLTCAP.field("BUTTON_PRESENT");
    static final Field LINK_CHANGE_ENABLE = SLTCTL.field("LINK_CHANGE_ENABLE");
    static final Field TOGGLE_INTERLOCK = SLTCTL.field("TOGGLE_INTERLOCK");
    static final Field POWER_OFF = SLTCTL.field("POWER_OFF");
    static final Field POWER_INDICATOR = SLTCTL.field("POWER_INDICATOR");
    static final Field ATTENTION_INDICATOR = SLTCTL.field("ATTENTION_INDICATOR");
    static final Field INTERRUPT_ENABLE = SLTCTL.field("INTERRUPT_ENABLE");
    static final Field COMMAND_ENABLE = SLTCTL.field("COMMAND_ENABLE");
    static final Field PRESENCE_ENABLE = SLTCTL.field("PRESENCE_ENABLE");
    static final Field POWER_FAULT_ENABLE = SLTCTL.field("POWER_FAULT_ENABLE");
    static final Field BUTTON_ENABLE = SLTCTL.field("BUTTON_ENABLE");
    static final Field LINK_CHANGED = SLTSTA.field("LINK_CHANGED");
    static final Field INTERLOCK = SLTSTA.field("INTERLOCK");
    static final Field PRESENT = SLTSTA.field("PRESENT");
    static final Field COMMAND_COMPLETED = SLTSTA.field("COMMAND_COMPLETED");
    static final Field PRESENCE_CHANGED = SLTSTA.field("PRESENCE_CHANGED");
    static final Field POWER_FAULT = SLTSTA.field("POWER_FAULT");
    static final Field BUTTON = SLTSTA.field("BUTTON");

    private final Placement placement;

    SlotRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
