package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("ACS, ATS, PRI, PASID and SR-IOV")
class TranslationTest {
    private final FunctionConfig function = Samples.endpoint();
    private final Ats ats = Objects.requireNonNull(function.ats());
    private final Pri pri = Objects.requireNonNull(function.pri());
    private final Pasid pasid = Objects.requireNonNull(function.pasid());
    private final SrIov srIov = Objects.requireNonNull(function.srIov());

    @Rule("PC-31")
    @Test
    void aPortOffersSixControlsAndTakesNoOther() {
        FunctionConfig port = Samples.rootPort();
        Acs acs = Objects.requireNonNull(port.acs());
        assertThat(port.read(acs.at() + 4, 4)).as("nothing is on at first").isEqualTo(0x5F);
        assertThat(port.write(acs.at() + 6, 2, 0xFFFF)).isEqualTo(Effect.ACS);
        assertThat(port.read(acs.at() + 6, 2)).isEqualTo(0x5F);
        assertThat(acs.controlsEgress()).isFalse();
    }

    @Rule("PC-31")
    @ParameterizedTest
    @CsvSource({"0", "1", "2", "3", "4", "6"})
    void eachControlIsItsOwn(int bit) {
        FunctionConfig port = Samples.rootPort();
        Acs acs = Objects.requireNonNull(port.acs());
        port.write(acs.at() + 6, 2, 1 << bit);
        boolean[] all = {
            acs.validatesSource(),
            acs.blocksTranslated(),
            acs.redirects(),
            acs.redirectsCompletions(),
            acs.forwardsUpstream(),
            acs.controlsEgress(),
            acs.translatedGoDirect()
        };
        for (int i = 0; i < all.length; i++) {
            assertThat(all[i]).as("bit %d", i).isEqualTo(i == bit);
        }
    }

    @Rule("PC-31")
    @Test
    void theEgressVectorHasABitPerNumber() {
        Acs acs = Objects.requireNonNull(function.acs());
        assertThat(function.read(acs.at() + 4, 2)).isEqualTo(40 << 8 | 0x6C);
        function.write(acs.at() + 8, 4, 1L << 31);
        function.write(acs.at() + 12, 4, -1);
        assertThat(function.read(acs.at() + 12, 4)).isEqualTo(0xFF);
        assertThat(acs.egressBlocked(30)).isFalse();
        assertThat(acs.egressBlocked(31)).isTrue();
        assertThat(acs.egressBlocked(39)).isTrue();
        assertThat(acs.egressBlocked(40)).isFalse();
    }

    @Rule("IM-12")
    @Test
    void atsIsEnabledByItsBitAlone() {
        assertThat(function.read(ats.at() + 4, 2)).as("depth 32, aligned").isEqualTo(0x20);
        assertThat(ats.queueDepth()).isEqualTo(32);
        function.write(ats.at() + 6, 1, 0x1F);
        assertThat(ats.enabled()).isFalse();
        assertThat(ats.unitBytes()).isEqualTo(1L << 43);
        assertThat(function.write(ats.at() + 7, 1, 0x80)).isEqualTo(Effect.TRANSLATION);
        assertThat(ats.enabled()).isTrue();
        function.reset(ResetKind.FLR);
        assertThat(ats.enabled()).isFalse();
    }

    @Rule("IM-16")
    @Test
    void pasidControlDoesNotChangeWhileAtsIsOn() {
        assertThat(function.read(pasid.at() + 4, 2)).isEqualTo(20 << 8 | 2);
        function.write(pasid.at() + 6, 2, 0xFFFF);
        assertThat(function.read(pasid.at() + 6, 2)).as("no privileged mode").isEqualTo(3);
        assertThat(pasid.executeEnabled()).isTrue();
        assertThat(pasid.privilegedEnabled()).isFalse();
        function.write(ats.at() + 6, 2, 0x8000);
        assertThat(function.write(pasid.at() + 6, 2, 0)).isZero();
        assertThat(pasid.enabled()).isTrue();
        function.write(ats.at() + 6, 2, 0);
        assertThat(function.write(pasid.at() + 6, 2, 0)).isEqualTo(Effect.TRANSLATION);
        assertThat(pasid.enabled()).isFalse();
        function.write(ats.at() + 6, 2, 0x8000);
        function.write(pasid.at() + 6, 2, 1);
        assertThat(pasid.enabled()).as("nor comes on").isFalse();
    }

    @Rule("IM-15")
    @Test
    void pageRequestsAreBoundedAndStopAfterAFailure() {
        assertThat(pri.stopped()).isTrue();
        function.write(pri.at() + 0x0C, 4, 16);
        function.write(pri.at() + 4, 2, 1);
        assertThat(pri.enabled()).isTrue();
        assertThat(pri.stopped()).isFalse();
        assertThat(pri.allowed()).isEqualTo(16);
        function.write(pri.at() + 0x0C, 4, 0xFFFF_FFFFL);
        assertThat(pri.allowed()).as("its capacity").isEqualTo(64);
        pri.responseFailed();
        assertThat(function.read(pri.at() + 6, 2)).as("failed and stopped").isEqualTo(0x101);
        pri.unexpectedGroup();
        assertThat(function.read(pri.at() + 6, 2)).isEqualTo(0x103);
        function.write(pri.at() + 6, 2, 3);
        assertThat(function.read(pri.at() + 6, 2)).isEqualTo(0x100);
        pri.responseFailed();
        pri.unexpectedGroup();
        function.write(pri.at() + 4, 2, 0);
        assertThat(function.read(pri.at() + 6, 2)).isEqualTo(0x103);
        function.write(pri.at() + 4, 2, 1);
        assertThat(function.read(pri.at() + 6, 2)).as("enabled anew").isZero();
        function.write(pri.at() + 4, 2, 2);
        assertThat(function.read(pri.at() + 4, 4)).as("reset").isEqualTo(0x0100_0000L);
    }

    private int numVfs(int value) {
        function.write(srIov.at() + 0x10, 2, value);
        return srIov.numVfs();
    }

    private void vfControl(int bits) {
        function.write(srIov.at() + 8, 2, bits);
    }

    @Rule("PC-34")
    @Rule("ER-31")
    @Test
    void numVfsAboveTotalOrWhileEnabledIsRefused() {
        assertThat(function.read(srIov.at() + 0x0C, 4)).isEqualTo(0x0007_0007L);
        assertThat(function.read(srIov.at() + 0x14, 4)).isEqualTo(0x0002_0080L);
        assertThat(function.read(srIov.at() + 0x1A, 2)).isEqualTo(0x9ABC);
        assertThat(numVfs(4)).isEqualTo(4);
        assertThat(numVfs(8)).isEqualTo(4);
        assertThat(numVfs(0xFFFF)).isEqualTo(4);
        function.write(srIov.at() + 0x11, 1, 1);
        assertThat(srIov.numVfs()).as("by its upper byte").isEqualTo(4);
        vfControl(1);
        assertThat(numVfs(2)).isEqualTo(4);
        vfControl(0);
        assertThat(numVfs(7)).isEqualTo(7);
    }

    @Rule("PC-34")
    @Rule("ER-31")
    @ParameterizedTest(name = "VF {1} of 0x{0} is 0x{2}")
    @CsvSource({"100, 1, 180", "100, 4, 186", "1F0, 1, 270", "FF00, 4, FF86", "FF7A, 3, FFFE"})
    void vfsMayBeOnAnotherBus(String physical, int vf, String id) {
        numVfs(4);
        int function = Integer.parseInt(physical, 16);
        assertThat(srIov.requesterId(function, vf)).as("not enabled").isEqualTo(SrIov.NONE);
        vfControl(1);
        assertThat(srIov.requesterId(function, vf)).isEqualTo(Integer.parseInt(id, 16));
        assertThat(srIov.requesterId(function, 0)).isEqualTo(SrIov.NONE);
        assertThat(srIov.requesterId(function, 5)).isEqualTo(SrIov.NONE);
        assertThat(srIov.requesterId(0xFF7A, 4)).as("past the last bus").isEqualTo(SrIov.NONE);
    }

    @Rule("PC-35")
    @Test
    void vfBarsAreConsecutiveCopiesAndFollowVfMse() {
        int bar0 = srIov.at() + 0x24;
        function.write(bar0, 4, -1);
        assertThat(function.read(bar0, 4)).isEqualTo(0xFFFF_C004L);
        function.write(bar0, 4, 0xE000_0000L);
        function.write(bar0 + 4, 4, 1);
        numVfs(3);
        vfControl(1);
        assertThat(srIov.bar(1, 0, true)).as("VF MSE is off").isZero();
        vfControl(9);
        assertThat(srIov.bar(1, 0, true)).isEqualTo(0x1_E000_0000L);
        assertThat(srIov.bar(3, 0, true)).isEqualTo(0x1_E000_8000L);
        assertThat(srIov.bar(4, 0, true)).isZero();
        assertThat(srIov.bar(1, 0, false)).as("the function sleeps").isZero();
        function.write(bar0 + 8, 4, 0xFFFF_E000L);
        assertThat(srIov.bar(1, 2, true)).as("three would pass 2^32").isZero();
    }

    @Rule("PC-34")
    @Test
    void theSystemPageIsOneOfTheSupportedAndTheSmallestVfBar() {
        int page = srIov.at() + 0x20;
        assertThat(function.read(page, 4)).isEqualTo(1);
        function.write(page, 4, 4);
        assertThat(function.read(page, 4)).as("not supported").isEqualTo(1);
        function.write(page, 4, 0x11);
        assertThat(function.read(page, 4)).as("two at once").isEqualTo(1);
        function.write(page, 4, 0x10);
        assertThat(function.read(page, 4)).isEqualTo(0x10);
        assertThat(srIov.barBytes(0)).isEqualTo(0x1_0000);
        assertThat(srIov.barBytes(2)).isEqualTo(0x1_0000);
        function.reset(ResetKind.FLR);
        assertThat(srIov.barBytes(0)).isEqualTo(0x4000);
        assertThat(srIov.barBytes(2)).isEqualTo(0x1000);
    }

    @Rule("PC-36")
    @Test
    void flrOfThePhysicalFunctionAndClearingVfEnableTakeTheVfs() {
        numVfs(2);
        vfControl(1);
        assertThat(function.write(srIov.at() + 8, 2, 0)).isEqualTo(Effect.VIRTUAL_FUNCTIONS);
        assertThat(srIov.requesterId(0x100, 1)).isEqualTo(SrIov.NONE);
        vfControl(1);
        function.reset(ResetKind.FLR);
        assertThat(srIov.enabled()).isFalse();
        assertThat(srIov.numVfs()).isZero();
    }

    @Test
    void serialNumberAriAndVendorBytesAreToBeRead() {
        for (Capability capability : function.capabilities()) {
            switch (capability) {
                case SerialNumber one -> {
                    assertThat(function.read(one.at() + 4, 4)).isEqualTo(0x4455_6677L);
                    assertThat(function.read(one.at() + 8, 4)).isEqualTo(0x0011_2233L);
                }
                case Ari one -> {
                    assertThat(function.read(one.at() + 4, 4)).isEqualTo(0x100);
                    assertThat(one.nextFunction()).isEqualTo(1);
                }
                case VendorSpecific one -> {
                    assertThat(function.read(one.at() + 2, 2)).isEqualTo(0x0106);
                    assertThat(function.read(one.at() + 4, 2)).isEqualTo(0x0302);
                }
                default -> {}
            }
        }
        assertThat(CapabilityLayout.Vendor.of().bytes()).isEmpty();
    }
}
