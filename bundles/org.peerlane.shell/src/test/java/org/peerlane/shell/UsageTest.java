package org.peerlane.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.shell.bus.BusCommand;
import org.peerlane.shell.iommu.IommuCommand;
import org.peerlane.shell.pci.LspciCommand;

@DisplayName("Usage")
class UsageTest {
    /** Commands of the shapes that ours do not have. */
    public interface Odd {
        /** Prints. */
        void print(CommandSession session, String file);

        /** Prints many. */
        void print(CommandSession session, String from, String to);

        /** Does nothing. */
        void more();

        /** Does something. */
        void more(String first, String second);

        /** Does it all. */
        void more(String first, String second, String third);

        /** Has a name of the language's. */
        void _import(String card, String buffer);
    }

    @Test
    void namesParametersAndWhatIsOptional() {
        assertThat(Usage.of("bus:pull", BusCommand.class, "pull")).isEqualTo("bus:pull SLOT");
        assertThat(Usage.of("bus:reset", BusCommand.class, "reset"))
                .isEqualTo("bus:reset FUNCTION [METHOD]");
        assertThat(Usage.of("iommu:walk", IommuCommand.class, "walk"))
                .isEqualTo("iommu:walk REQUESTER IOVA [PASID]");
        assertThat(Usage.of("iommu:domains", IommuCommand.class, "domains"))
                .isEqualTo("iommu:domains");
        assertThat(Usage.of("lspci", LspciCommand.class, "lspci"))
                .isEqualTo("lspci [ARGUMENTS...]");
    }

    @Test
    void leavesTheSessionOutAndKeepsFormsThatDiffer() {
        assertThat(Usage.of("odd:print", Odd.class, "print"))
                .isEqualTo("odd:print FILE or odd:print FROM TO");
        assertThat(Usage.of("odd:more", Odd.class, "more"))
                .isEqualTo("odd:more [FIRST SECOND [THIRD]]");
        assertThat(Usage.of("odd:import", Odd.class, "import")).isEqualTo("odd:import CARD BUFFER");
    }

    @Test
    void quotesWhatWasGiven() {
        assertThat(Usage.given(List.of())).isEqualTo("nothing");
        assertThat(Usage.given(Arrays.asList("a b", 7L, null))).isEqualTo("'a b' '7' null");
    }
}
