package org.peerlane.registers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.peerlane.registers.Field.ros;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.rws;
import static org.peerlane.registers.Field.w1cs;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A register map")
class RegisterMapTest {
    private enum Narrow implements PlacedRegister {
        BYTE(Placement.of(0x01, 1, 0x5, rws(7, 0, "A"))),
        WORD(Placement.of(0x02, 2, 0, rsvd(15, 8), w1cs(7, 4, "B"), ros(3, 0, "C"))),
        WIDE(Placement.of(0x04, 8, 0, rw(63, 0, "D")));

        private final Placement placement;

        Narrow(Placement placement) {
            this.placement = placement;
        }

        @Override
        public Placement placement() {
            return placement;
        }
    }

    private enum Backwards implements PlacedRegister {
        SECOND(Placement.of(0x02, 2, 0, rw(15, 0, "A"))),
        FIRST(Placement.of(0x03, 1, 0, rw(7, 0, "B")));

        private final Placement placement;

        Backwards(Placement placement) {
            this.placement = placement;
        }

        @Override
        public Placement placement() {
            return placement;
        }
    }

    private enum Crooked implements PlacedRegister {
        ODD(Placement.of(0x01, 2, 0, rw(15, 0, "A")));

        private final Placement placement;

        Crooked(Placement placement) {
            this.placement = placement;
        }

        @Override
        public Placement placement() {
            return placement;
        }
    }

    @Test
    void takesNarrowRegistersAndPrintsWhatIsSticky() {
        RegisterMap<Narrow> map = new RegisterMap<>(Narrow.class, 0x10);
        assertThat(map.registers()).containsExactly(Narrow.values());
        assertThat(map.toString())
                .contains("0x0001  1      0x05 ", "0x0002  2      0x0000 ")
                .contains("7:0    RWS     A", "7:4    W1CS    B", "3:0    ROS     C");
    }

    @Test
    void isRefusedIfRegistersOverlapOrAreNotAligned() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterMap<>(Backwards.class, 0x10))
                .withMessage("register FIRST at 0x3 is not after SECOND");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterMap<>(Crooked.class, 0x10))
                .withMessageContaining("is at 0x1; expected a multiple of 2");
    }
}
