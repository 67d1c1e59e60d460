package org.peerlane.shell.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("setpci")
class SetpciCommandTest {
    private final FakeFunction edu = ExampleMachine.edu("00:04.0");

    private String on(FakeBus bus, String arguments) {
        return Objects.requireNonNullElse(
                new SetpciCommand(bus).setpci(arguments.split(" ", -1)), "");
    }

    private String onEdu(String operands) {
        return on(new FakeBus(edu), "-s 00:04.0 " + operands);
    }

    /** As setpci 3.9.0 answers, reading the dump of the example machine. */
    @ParameterizedTest(name = "-s {0} is {1}")
    @CsvSource({
        "05:00.0 VENDOR_ID,1b36",
        "05:00.0 vendor_id.l,00101b36",
        "05:00.0 BASE_ADDRESS_0,1000000c",
        "05:00.0 10.l,1000000c",
        "05:00.0 0x10.B,0c",
        "05:00.0 CAP_EXP+8.w,2810",
        "05:00.0 CAP10+8.w,2810",
        "05:00.0 ECAP_PASID+6.w,0001",
        "05:00.0 ECAP1b+4.L,00011406",
        "03:01.0 SECONDARY_BUS,05",
        "03:01.0 ECAP_ACS+6.w@0,0004",
        "04:00.1 34.b,40"
    })
    void readsWhatIsNamedInAnyWay(String operands, String value) {
        assertThat(on(ExampleMachine.bus(), "-s " + operands)).isEqualTo(value);
    }

    @Test
    void writesAWholeRegister() {
        assertThat(onEdu("COMMAND=0x406")).isEmpty();
        assertThat(edu.readConfig(4, 2)).isEqualTo(0x406);
    }

    @Test
    void writesTheBitsOfAMaskOnly() {
        edu.put(4, 2, 0x0406);
        onEdu("COMMAND=ff:1");
        assertThat(edu.readConfig(4, 2)).isEqualTo(0x0407);
        onEdu("COMMAND=0:4");
        assertThat(edu.readConfig(4, 2)).isEqualTo(0x0403);
    }

    @Test
    void writesSeveralInARow() {
        onEdu("CAP_MSI+10.l=1,fedcba98 3c.b=b");
        assertThat(edu.readConfig(0x60, 4)).isEqualTo(1);
        assertThat(edu.readConfig(0x64, 4)).isEqualTo(0xFEDC_BA98L);
        assertThat(edu.readConfig(0x3C, 1)).isEqualTo(0x0B);
    }

    @Test
    void doesTheSameToEachFunctionThatIsSelectedAndTakesSeveralGroups() {
        assertThat(
                        on(
                                ExampleMachine.bus(),
                                "-d 1b36:0010 VENDOR_ID.w REVISION -d 8086:10c9 -s 4:0.1 0.w"))
                .isEqualTo("1b36\n02\n1b36\n02\n8086");
    }

    @Test
    void saysWhatItDoesIfAsked() {
        assertThat(on(new FakeBus(edu), "-v -s 4 COMMAND=1:1 COMMAND=6 4.w"))
                .isEqualTo(
                        """
                        0000:00:04.0 @04 0006->(0001:0001)->0007
                        0000:00:04.0 @04 0006
                        0000:00:04.0 @04 = 0006\
                        """);
    }

    @Test
    void changesNothingWithD() {
        on(new FakeBus(edu), "-D -s 4 COMMAND=0");
        assertThat(edu.readConfig(4, 2)).isEqualTo(6);
    }

    @ParameterizedTest(name = "{0} is refused: {1}")
    @CsvSource({
        "COMMAND=zz,value 'zz'",
        "COMMAND=,value ''",
        "COMMAND=10000,0x10000 is too large; expected at most 0xffff",
        "COMMAND=1:g,mask 'g'",
        "NOSUCH,no register 'NOSUCH'",
        "COMMAND.q,width 'q'",
        "40,width is missing",
        "41.w,0x41 is not aligned",
        "1000.b,outside of config space",
        "CAP_EXP+x.w,offset 'x'",
        "SECONDARY_BUS,its header type is 00",
        "CAP_MSIX+2.w,no capability CAP_MSIX",
        "CAP_MSI+2.w@1,only 1 capabilities CAP_MSI",
        "=6,no register '=6'"
    })
    void refusesAWrongOperandInOneLineThatNamesIt(String operand, String part) {
        assertThatThrownBy(() -> onEdu("COMMAND=0 " + operand))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith("EINVAL: setpci " + operand)
                .hasMessageContaining(part);
        assertThat(edu.readConfig(4, 2)).as("nothing is written").isEqualTo(6);
    }

    @Test
    void refusesAListOfValuesThatLeavesConfigSpace() {
        assertThatThrownBy(() -> onEdu("ffc.l=1,2"))
                .hasMessage("EINVAL: setpci ffc.l=1,2: register 0xffc is outside of config space");
    }

    @ParameterizedTest(name = "setpci {0}")
    @CsvSource({
        "COMMAND,expected -s or -d before it",
        "-s,nothing follows -s",
        "-s 4,nothing to do",
        "-q 4,no option -q",
        "-s 5 COMMAND,ENODEV: setpci -s 5",
        "'',expected -s or -d"
    })
    void refusesWhatIsNoCommand(String arguments, String part) {
        assertThatThrownBy(() -> on(new FakeBus(edu), arguments)).hasMessageContaining(part);
    }

    @Test
    void acceptsThatThereIsNoSuchFunctionIfForced() {
        assertThat(on(new FakeBus(edu), "-f -s 5 COMMAND")).isEmpty();
    }

    @Rule("PC-4")
    @Test
    void readsAllOnesOfAFunctionThatHasLeft() {
        edu.leave();
        assertThat(onEdu("VENDOR_ID COMMAND=6 4.l")).isEqualTo("ffff\nffffffff");
    }

    @Test
    void listsTheNamesItKnows() {
        assertThat(new SetpciCommand(new FakeBus()).setpci("--dumpregs"))
                .startsWith("cap pos w name\n     00 W VENDOR_ID\n")
                .contains(
                        "\n     1c B IO_BASE\n", "\n  10 00 - CAP_EXP\n", "\n000d 00 - ECAP_ACS\n");
    }
}
