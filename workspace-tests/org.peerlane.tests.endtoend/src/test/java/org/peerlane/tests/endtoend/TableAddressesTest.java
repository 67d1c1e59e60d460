package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Addresses of tables")
class TableAddressesTest {
    private static final String WALK =
            """
            level 1  table 0x100000  index   0  entry 0x0000000000101003  table at 0x101000 [R W]
            level 0  table 0x101000  index 225  entry 0x00000000000e1803  page of 0x1000 at 0xe1000
            """;

    @Test
    void areAlikeWhereverTheTablesAre() {
        String elsewhere =
                """
                level 1  table 0x7000  index   0  entry 0x0000000000a55003  table at 0xa55000 [R W]
                level 0  table 0xa55000  index 225  entry 0x00000000000e1803  page of 0x1000 at 0xe1000
                """;
        assertThat(TableAddresses.named(elsewhere)).isEqualTo(TableAddresses.named(WALK));
    }

    @Test
    void differWhenTheWayThePageOrTheBitsDo() {
        for (String[] change :
                new String[][] {
                    {"0x0000000000101003", "0x0000000000100003"}, // to the other table
                    {"0x0000000000101003", "0x0000000000101001"}, // not for writing
                    {"table 0x101000", "table 0x100000"},
                    {"0x00000000000e1803", "0x00000000000e2803"},
                    {"at 0xe1000", "at 0xe2000"},
                    {"index 225", "index 224"}
                }) {
            assertThat(TableAddresses.named(WALK.replace(change[0], change[1])))
                    .as(String.join(" to ", change))
                    .isNotEqualTo(TableAddresses.named(WALK));
        }
    }
}
