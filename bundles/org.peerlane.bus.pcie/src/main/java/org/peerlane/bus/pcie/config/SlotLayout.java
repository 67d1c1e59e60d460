package org.peerlane.bus.pcie.config;

/**
 * What the slot below a port has (PC-69).
 *
 * @param number 1 to 8191; 0 for what is soldered on
 * @param hotPlug something may be put in while the machine runs
 * @param surprise something may be taken out without a word
 * @param button it has an attention button
 * @param indicators it has attention and power indicator
 * @param powerController software can switch its power
 * @param commandCompleted each write of the control register is answered by an event
 */
public record SlotLayout(
        int number,
        boolean hotPlug,
        boolean surprise,
        boolean button,
        boolean indicators,
        boolean powerController,
        boolean commandCompleted) {

    /**
     * @throws IllegalArgumentException the number is out of its range
     */
    public SlotLayout {
        if (number < 0 || number > 0x1FFF) {
            throw new IllegalArgumentException("slot " + number + "; expected 0 to 8191");
        }
    }

    /** {@return a slot as those of QEMU's ports: with everything} */
    public static SlotLayout hotPlug(int number) {
        return new SlotLayout(number, true, true, true, true, true, true);
    }
}
