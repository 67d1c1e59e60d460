package org.peerlane.registers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;
import static org.peerlane.registers.Field.wo;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Register file")
class RegisterFileTest {
    // spotless:off
    private enum Map implements Register {
        CONTROL(0x00, 4, 0x0000_0005,
                rsvd(31, 16),
                rw  (15, 8, "SIZE"),
                rsvd( 7, 4),
                ro  ( 3, 2, "STATE"),
                rw  ( 1, 0, "MODE")),
        STATUS (0x04, 4, 0,
                w1c (31, 24, "EVENTS"),
                ro  (23, 0, "COUNT")),
        BASE   (0x08, 8, 0,
                rw  (63, 12, "ADDRESS"),
                rsvd(11, 0)),
        BELL   (0x14, 2, 0,
                wo  (15, 0, "TAIL"));
        // spotless:on

        private final int offset;
        private final int bytes;
        private final long reset;
        private final List<Field> fields;

        Map(int offset, int bytes, long reset, Field... fields) {
            this.offset = offset;
            this.bytes = bytes;
            this.reset = reset;
            this.fields = List.of(fields);
        }

        @Override
        public int offset() {
            return offset;
        }

        @Override
        public int bytes() {
            return bytes;
        }

        @Override
        public long reset() {
            return reset;
        }

        @Override
        public List<Field> fields() {
            return fields;
        }
    }

    private final RegisterFile<Map> regs = new RegisterFile<>(Map.class, 0x40);

    @ParameterizedTest(name = "write {2} as {1} bytes at {0}: CONTROL {3}")
    @CsvSource({
        "0, 4, 0xffffffff, 0xff07",
        "0, 4, 0x00000000, 0x0004",
        "0, 1, 0xff,       0x0007",
        "1, 1, 0xab,       0xab05",
        "2, 2, 0xffff,     0x0005",
        "0, 2, 0x1200,     0x1204",
        "0, 8, -1,         0xff07",
    })
    void aWriteReachesTheWritableBitsOfItsBytes(long at, int width, String value, String result) {
        regs.write(at, width, Long.decode(value));
        assertThat(regs.get(Map.CONTROL)).isEqualTo((long) Long.decode(result));
    }

    @ParameterizedTest(name = "events f0, write {2} as {1} bytes at {0}: {3}")
    @CsvSource({
        "4, 4, 0x30000000, 0xc0123456",
        "7, 1, 0x30, 0xc0123456",
        "4, 4, 0x00ffffff, 0xf0123456",
        "4, 2, 0xffff, 0xf0123456",
        "6, 2, 0xff00, 0x00123456",
    })
    void writingOneClearsAndNothingElseDoes(long at, int width, String value, String result) {
        regs.set(Map.STATUS, 0xF012_3456L);
        regs.write(at, width, Long.decode(value));
        assertThat(regs.get(Map.STATUS)).isEqualTo((long) Long.decode(result));
    }

    @ParameterizedTest(name = "read {1} bytes at {0}: {2}")
    @CsvSource({
        "8, 8, 0x123456789abcd000",
        "8, 4, 0x9abcd000",
        "12, 4, 0x12345678",
        "9, 1, 0xd0",
        "10, 2, 0x9abc",
        "15, 1, 0x12",
    })
    void anEightByteRegisterIsReadInParts(long at, int width, String value) {
        regs.write(8, 4, 0x9ABC_DEF0L);
        regs.write(12, 4, 0x1234_5678L);
        assertThat(regs.read(at, width)).isEqualTo((long) Long.decode(value));
    }

    @Test
    void anAccessOverTwoRegistersReachesBoth() {
        regs.set(Map.STATUS, 0xFF00_0001L);
        assertThat(regs.read(0, 8)).isEqualTo(0xFF00_0001_0000_0005L);
        assertThat(regs.write(0, 8, 0x0F00_0000_0000_3402L)).isEqualTo(Map.CONTROL);
        assertThat(regs.read(0, 8)).isEqualTo(0xF000_0001_0000_3406L);
    }

    @Test
    void whereNothingIsReadsZeroAndDropsWrites() {
        assertThat(regs.read(0x20, 8)).isZero();
        assertThat(regs.write(0x20, 4, -1)).isNull();
        assertThat(regs.read(0x3c, 8)).isZero();
        assertThat(regs.at(0x1000)).isNull();
    }

    @Test
    void writeOnlyBitsReachTheDeviceAndReadZero() {
        assertThat(regs.write(0x14, 2, 0x1234)).isEqualTo(Map.BELL);
        assertThat(regs.read(0x14, 2)).isZero();
        assertThat(regs.get(Map.BELL)).isEqualTo(0x1234);
    }

    @Test
    void fieldsAreReadAndSetByTheDevice() {
        Field state = Map.CONTROL.field("STATE");
        regs.set(Map.CONTROL, state, 7);
        assertThat(regs.get(Map.CONTROL, state)).isEqualTo(3);
        assertThat(regs.get(Map.CONTROL)).isEqualTo(0xD);
        regs.reset();
        assertThat(regs.get(Map.CONTROL)).isEqualTo(5);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Map.CONTROL.field("NONE"))
                .withMessageContaining("NONE");
    }

    @Test
    void printsItselfAsTheSpecificationDoes() {
        assertThat(regs.toString())
                .isEqualToNormalizingNewlines(
                        """
                        0000 4 CONTROL  reset 5
                               31:16 RSVD -
                               15:8  RW   SIZE
                                7:4  RSVD -
                                3:2  RO   STATE
                                1:0  RW   MODE
                        0004 4 STATUS   reset 0
                               31:24 W1C  EVENTS
                               23:0  RO   COUNT
                        0008 8 BASE     reset 0
                               63:12 RW   ADDRESS
                               11:0  RSVD -
                        0014 2 BELL     reset 0
                               15:0  WO   TAIL
                        """);
    }

    /** One register that is wrong in the way its name says. */
    private interface Wrong extends Register {
        @Override
        default long reset() {
            return 0;
        }
    }

    private enum Overlap implements Wrong {
        A(0, 4),
        B(2, 2);

        private final int offset;
        private final int bytes;

        Overlap(int offset, int bytes) {
            this.offset = offset;
            this.bytes = bytes;
        }

        @Override
        public int offset() {
            return offset;
        }

        @Override
        public int bytes() {
            return bytes;
        }

        @Override
        public List<Field> fields() {
            return List.of(rw(bytes * 8 - 1, 0, "ALL"));
        }
    }

    private enum Gap implements Wrong {
        A;

        @Override
        public int offset() {
            return 0;
        }

        @Override
        public int bytes() {
            return 4;
        }

        @Override
        public List<Field> fields() {
            return List.of(rw(31, 16, "HIGH"), rw(14, 0, "LOW"));
        }
    }

    @Test
    void anOverlapIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterFile<>(Overlap.class, 16))
                .withMessageContaining("B overlaps A");
    }

    @Test
    void aBitWithoutAFieldIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterFile<>(Gap.class, 16))
                .withMessageContaining("0x8000");
    }

    @Test
    void aRegisterOutsideTheWindowIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterFile<>(Map.class, 8))
                .withMessageContaining("BASE");
    }
}
