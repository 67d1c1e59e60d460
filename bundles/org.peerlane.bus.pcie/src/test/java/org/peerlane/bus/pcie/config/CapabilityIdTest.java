package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.testkit.Rule;

@DisplayName("Capabilities")
class CapabilityIdTest {
    @Rule("PC-23")
    @ParameterizedTest
    @CsvSource({
        "PM, 1, false", "MSI, 5, false", "VENDOR, 9, false", "EXPRESS, 16, false",
        "MSI_X, 17, false", "AER, 1, true", "VC, 2, true", "DSN, 3, true",
        "VENDOR_EXTENDED, 11, true", "ACS, 13, true", "ARI, 14, true", "ATS, 15, true",
        "SR_IOV, 16, true", "PRI, 19, true", "RESIZABLE_BAR, 21, true", "LTR, 24, true",
        "PASID, 27, true", "DPC, 29, true", "L1SS, 30, true", "PTM, 31, true",
        "VF_RESIZABLE_BAR, 36, true",
    })
    void haveTheIdsOfTheSpecification(CapabilityId id, int code, boolean extended) {
        assertThat(id.code()).isEqualTo(code);
        assertThat(id.extended()).isEqualTo(extended);
    }

    @Rule("PC-1")
    @Test
    void extendedConfigSpaceIsThereWithTheExpressCapabilityOnly() {
        FunctionConfig conventional =
                FunctionConfig.endpoint(Samples.conventional(), ExpressType.ROOT_COMPLEX_ENDPOINT);
        assertThat(conventional.read(0xFC, 4)).isZero();
        assertThat(conventional.read(0x100, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(Samples.endpoint().read(0x100, 4) & 0xFFFF).isEqualTo(1);
    }

    @Test
    void aConventionalFunctionHasOnlyWhatItSays() {
        FunctionConfig edu =
                FunctionConfig.endpoint(Samples.conventional(), ExpressType.ROOT_COMPLEX_ENDPOINT);
        assertThat(edu.capabilities()).singleElement().isInstanceOf(Msi.class);
        assertThat(edu.read(0x34, 1)).isEqualTo(0x40);
        assertThat(edu.read(0x40, 4)).isEqualTo(0x0080_0005);
    }
}
