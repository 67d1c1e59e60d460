package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.CapabilityLayout.Acs;
import org.peerlane.bus.api.CapabilityLayout.Aer;
import org.peerlane.bus.api.CapabilityLayout.Ari;
import org.peerlane.bus.api.CapabilityLayout.Ats;
import org.peerlane.bus.api.CapabilityLayout.Express;
import org.peerlane.bus.api.CapabilityLayout.Msi;
import org.peerlane.bus.api.CapabilityLayout.MsiX;
import org.peerlane.bus.api.CapabilityLayout.Pasid;
import org.peerlane.bus.api.CapabilityLayout.PowerManagement;
import org.peerlane.bus.api.CapabilityLayout.Pri;
import org.peerlane.bus.api.CapabilityLayout.ResizableBar;
import org.peerlane.bus.api.CapabilityLayout.SrIov;
import org.peerlane.bus.api.CapabilityLayout.Vendor;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.testkit.Rule;

@DisplayName("What a plugin says of its function")
class LayoutTest {
    private static FunctionLayout.Builder function() {
        return FunctionLayout.of(0x1234, 1, 0xFF0000)
                .bar(BarLayout.registers(0, 8192, true, false));
    }

    private static Arguments wrong(Supplier<Object> made, String words) {
        return Arguments.of(words, made);
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                wrong(() -> new PowerManagement(false, false, false, 32), "PME support 0x20"),
                wrong(() -> new Msi(3, true, true), "3 MSI vectors"),
                wrong(() -> new Msi(0, true, true), "0 MSI vectors"),
                wrong(() -> new Msi(64, true, true), "64 MSI vectors"),
                wrong(() -> new Express(100, true, true, 1, 1), "payload of 100"),
                wrong(() -> new Express(8192, true, true, 1, 1), "payload of 8192"),
                wrong(() -> new Express(128, true, true, 7, 1), "link speed 0x7"),
                wrong(() -> new Express(128, true, true, 1, 3), "link of 3 lanes"),
                wrong(() -> new Acs(0x80, 0), "ACS bits 0x80"),
                wrong(() -> new Acs(0x20, 0), "come together"),
                wrong(() -> new Acs(0x04, 8), "come together"),
                wrong(() -> new Ats(33, true), "queue depth 0x21"),
                wrong(() -> new Pri(0, false), "PRI capacity 0x0"),
                wrong(() -> new Pasid(21, false, false), "PASID width 0x15"),
                wrong(() -> new SrIov(0, 1, 1, 1, 1, List.of()), "total VFs 0x0"),
                wrong(() -> new SrIov(1, 0, 1, 1, 1, List.of()), "first VF offset"),
                wrong(() -> new SrIov(1, 1, 1, 1, 2, List.of()), "page sizes 0x2"),
                wrong(
                        () -> new SrIov(1, 1, 1, 1, 1, List.of(BarLayout.io(0, 4))),
                        "VF BAR 0 in I/O space"),
                wrong(
                        () ->
                                new SrIov(
                                        1,
                                        1,
                                        1,
                                        1,
                                        1,
                                        List.of(BarLayout.registers(0, 2048, false, false))),
                        "VF BAR 0 of 2048 bytes"),
                wrong(() -> new ResizableBar(6, 1 << 20), "resizable BAR 0x6"),
                wrong(() -> new ResizableBar(0, 1 << 19), "sizes 0x80000"),
                wrong(() -> new Ari(256), "next function 0x100"),
                wrong(() -> Vendor.of(256), "vendor byte 0x100"),
                wrong(() -> Vendor.of(new int[190]), "vendor capability 0xbe"),
                wrong(() -> new RomLayout(1024, null), "expansion ROM of 1024"),
                wrong(() -> new RomLayout(4096, MemorySegment.NULL), "with a segment of 0"),
                wrong(() -> function().interruptPin(5).build(), "interrupt pin 0x5"),
                wrong(() -> function().with(new Aer()).build(), "takes the Express one"),
                wrong(
                        () ->
                                function()
                                        .with(new Msi(1, true, true))
                                        .with(new Msi(2, true, true))
                                        .build(),
                        "a second Msi"),
                wrong(
                        () -> function().with(Express.plain()).with(new Acs(1, 0)).build(),
                        "for ports only"),
                wrong(
                        () ->
                                function()
                                        .with(Express.plain())
                                        .with(new ResizableBar(0, 1 << 20))
                                        .build(),
                        "none of its sizes"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void isRefusedInOneSentence(String words, Supplier<Object> made) {
        assertThatIllegalArgumentException().isThrownBy(made::get).withMessageContaining(words);
    }

    static Stream<Arguments> tables() {
        return Stream.of(
                wrong(() -> new MsiX(0, 0, 0, 0, 0x1000), "MSI-X vectors 0x0"),
                wrong(() -> new MsiX(2049, 0, 0, 0, 0x1000), "MSI-X vectors 0x801"),
                wrong(() -> new MsiX(1, 0, 4, 0, 0x1000), "table at 0x4"),
                wrong(() -> new MsiX(1, 0, 0, 0, 0x1001), "PBA at 0x1001"),
                wrong(() -> new MsiX(1, 0, -8, 0, 0), "table at 0xff"),
                wrong(() -> new MsiX(1, 6, 0, 0, 0), "BAR of the MSI-X table 0x6"),
                wrong(() -> with(new MsiX(1, 2, 0, 0, 0)), "no memory BAR 2"),
                wrong(() -> with(new MsiX(512, 0, 8, 0, 0)), "table at 0x8 of 8192 bytes"),
                wrong(() -> with(new MsiX(65, 0, 0, 0, 8184)), "PBA at 0x1ff8 of 16 bytes"),
                wrong(() -> with(new MsiX(65, 0, 0, 0, 1032)), "overlap"));
    }

    private static FunctionLayout with(MsiX msiX) {
        return function().with(msiX).build();
    }

    @Rule("PC-27")
    @ParameterizedTest(name = "{0}")
    @MethodSource("tables")
    void anMsiXTableThatIsNotAlignedInsideItsBarIsRefused(String words, Supplier<Object> made) {
        isRefusedInOneSentence(words, made);
    }

    @Rule("PC-27")
    @Test
    void tableAndPendingBitsMayFillTheirBar() {
        MsiX msiX = MsiX.in(0, 65);
        assertThat(msiX.pbaOffset()).as("in a page of their own").isEqualTo(0x1000);
        assertThat(with(msiX).capability(MsiX.class)).contains(msiX);
        assertThat(with(new MsiX(65, 0, 0, 0, 1040)).capability(Msi.class)).isEmpty();
        assertThat(with(new MsiX(500, 0, 0, 0, 8128)).bar(0)).isPresent();
    }

    @Rule("PC-13")
    @Test
    void barsAreOfTheSizesThatTheSpecificationAllows() {
        for (int bytes : new int[] {0, 1, 2, 3, 6, 512}) {
            assertThatIllegalArgumentException().isThrownBy(() -> BarLayout.io(0, bytes));
        }
        assertThat(BarLayout.io(0, 4).bytes()).isEqualTo(4);
        assertThat(BarLayout.io(5, 256).io()).isTrue();
        for (long bytes : new long[] {0, 64, 100, 3 << 20}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> BarLayout.registers(0, bytes, true, false));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BarLayout.registers(0, 1L << 32, false, false));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new BarLayout(0, 64, true, false, true, null));
    }

    @Rule("PC-15")
    @Test
    void aWideBarTakesTwoRegisters() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BarLayout.registers(5, 4096, true, false));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> function().bar(BarLayout.io(1, 4)).build())
                .withMessageContaining("BAR 1");
    }

    @Test
    void onlyAResizableBarHasMoreBehindItThanItShows() {
        MemorySegment memory = MemorySegment.ofArray(new byte[4 << 20]);
        BarLayout bar = new BarLayout(2, 1 << 20, true, true, memory);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> function().bar(bar).build())
                .withMessageContaining("not resizable");
        FunctionLayout.Builder resizable = function().bar(bar).with(Express.plain());
        assertThat(resizable.with(new ResizableBar(2, 5 << 20)).build().bars()).hasSize(2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> resizable.with(new ResizableBar(2, 9 << 20)).build());
    }

    @Test
    void theOldConstructorIsAFunctionWithMsiOnly() {
        FunctionLayout old = new FunctionLayout(1, 2, 3, 4, 5, 6, List.of(), 4);
        assertThat(old.capabilities()).isEqualTo(List.<CapabilityLayout>of(new Msi(4, true, true)));
        assertThat(old.msiVectors()).isEqualTo(4);
        assertThat(new FunctionLayout(1, 2, 3, 4, 5, 6, List.of(), 0).msiVectors()).isZero();
    }
}
