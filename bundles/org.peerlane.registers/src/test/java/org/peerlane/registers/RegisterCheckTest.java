package org.peerlane.registers;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("A register map is refused")
class RegisterCheckTest {

    @ParameterizedTest(name = "if register R {4}")
    @MethodSource("mistakes")
    void whenADeclarationCannotBeRight(
            int offset, int bytes, long reset, List<Field> fields, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        RegisterCheck.check(new Sample("R", offset, bytes, reset, fields), 0x100))
                .withMessage("register R " + message);
    }

    static Stream<Arguments> mistakes() {
        List<Field> whole = List.of(rw(31, 0, "A"));
        return Stream.of(
                Arguments.of(0, 2, 0L, whole, "has 2 bytes; expected 4 or 8"),
                Arguments.of(
                        2,
                        4,
                        0L,
                        whole,
                        "is at 0x2; expected a multiple of 4 inside a window of 0x100 bytes"),
                Arguments.of(
                        0x100,
                        4,
                        0L,
                        whole,
                        "is at 0x100; expected a multiple of 4 inside a window of 0x100 bytes"),
                Arguments.of(0, 8, 0L, whole, "has no field for bit 32"),
                Arguments.of(
                        0, 4, 0L, List.of(rw(31, 9, "A"), rsvd(7, 0)), "has no field for bit 8"),
                Arguments.of(
                        0, 4, 0L, List.of(rw(32, 0, "A")), "has field A at bits 32:0 outside it"),
                Arguments.of(
                        0,
                        4,
                        0L,
                        List.of(rw(31, 8, "A"), ro(8, 0, "B")),
                        "has two fields at bits 8:0"),
                Arguments.of(
                        0, 4, 0L, List.of(rw(31, 8, "A"), ro(7, 0, "A")), "has two fields named A"),
                Arguments.of(
                        0,
                        4,
                        1L,
                        List.of(rw(31, 8, "A"), rsvd(7, 0)),
                        "resets reserved bits to 0x1"));
    }

    @Test
    void whenTwoRegistersOverlap() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterFile<>(Overlapping.class, 0x10))
                .withMessage("registers A and B overlap at 0x4");
    }

    @Test
    void whenAFieldHasNoBits() {
        assertThatIllegalArgumentException().isThrownBy(() -> rw(3, 4, "A"));
        assertThatIllegalArgumentException().isThrownBy(() -> rw(64, 4, "A"));
        assertThatIllegalArgumentException().isThrownBy(() -> rw(4, 3, " "));
    }

    private record Sample(String name, int offset, int bytes, long reset, List<Field> fields)
            implements Register {}

    private enum Overlapping implements PlacedRegister {
        A(0, 8),
        B(4, 4);

        private final Placement placement;

        Overlapping(int offset, int bytes) {
            placement = Placement.of(offset, bytes, 0, rw(bytes * 8 - 1, 0, "ALL"));
        }

        @Override
        public Placement placement() {
            return placement;
        }
    }
}
