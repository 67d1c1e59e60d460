package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.registers.RegisterMap;

@DisplayName("The register maps of config space")
class RegisterMapsTest {

    static String all() {
        StringBuilder text = new StringBuilder();
        add(text, "header", new RegisterMap<>(HeaderRegister.class, 0x40));
        add(text, "header of type 0", new RegisterMap<>(EndpointRegister.class, 0x40));
        add(text, "header of type 1", new RegisterMap<>(BridgeRegister.class, 0x40));
        add(text, "power management", new RegisterMap<>(PowerManagementRegister.class, 8));
        add(text, "MSI, 64-bit", new RegisterMap<>(MsiWideRegister.class, 14));
        add(text, "MSI, 32-bit", new RegisterMap<>(MsiNarrowRegister.class, 10));
        add(text, "MSI, masks", new RegisterMap<>(MsiMaskRegister.class, 8));
        add(text, "MSI-X", new RegisterMap<>(MsiXRegister.class, 12));
        add(text, "PCI Express", new RegisterMap<>(ExpressRegister.class, 0x3C));
        add(text, "PCI Express, link", new RegisterMap<>(LinkRegister.class, 0x3C));
        add(text, "PCI Express, slot", new RegisterMap<>(SlotRegister.class, 0x3C));
        add(text, "PCI Express, root", new RegisterMap<>(RootRegister.class, 0x3C));
        add(text, "advanced features", new RegisterMap<>(AdvancedFeaturesRegister.class, 6));
        add(text, "AER", new RegisterMap<>(AerRegister.class, 0x48));
        add(text, "AER, root", new RegisterMap<>(AerRootRegister.class, 0x48));
        add(text, "serial number", new RegisterMap<>(SerialNumberRegister.class, 12));
        add(text, "ACS", new RegisterMap<>(AcsRegister.class, 8));
        add(text, "ARI", new RegisterMap<>(AriRegister.class, 8));
        add(text, "ATS", new RegisterMap<>(AtsRegister.class, 8));
        add(text, "SR-IOV", new RegisterMap<>(SrIovRegister.class, 0x40));
        add(text, "PRI", new RegisterMap<>(PriRegister.class, 16));
        add(text, "resizable BAR, each", new RegisterMap<>(ResizableBarRegister.class, 8));
        add(text, "PASID", new RegisterMap<>(PasidRegister.class, 8));
        return text.toString();
    }

    private static void add(StringBuilder text, String name, RegisterMap<?> map) {
        text.append("## ").append(name).append('\n').append(map).append('\n');
    }

    @Test
    void printAsTheTablesThatReviewersKnow() throws IOException {
        try (InputStream golden = getClass().getResourceAsStream("registers.txt")) {
            assertThat(all())
                    .isEqualTo(
                            new String(
                                    Objects.requireNonNull(golden).readAllBytes(),
                                    StandardCharsets.UTF_8));
        }
    }
}
