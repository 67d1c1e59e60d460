package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.testkit.Rule;

@DisplayName("What an unmap gathers")
class GatherTest {
    private final Gather gather = new Gather();

    /** The formats here have no need to flush early; that is a virtualised IOMMU's. */
    @Test
    @Rule("PT-52")
    void oneIntervalReachesOverTheGapsInWhateverOrderTheyCome() {
        assertThat(gather.isEmpty()).isTrue();
        gather.add(0x9000, 0x1000);
        gather.add(0x1000, 0x2000);
        gather.add(0x5000, 0x1000);
        assertThat(gather.isEmpty()).isFalse();
        assertThat(gather.first()).isEqualTo(0x1000);
        assertThat(gather.last()).isEqualTo(0x9FFF);
        gather.clear();
        assertThat(gather.isEmpty()).isTrue();
    }

    @Test
    void anIntervalMayEndAtTheTop() {
        gather.add(-0x1000, 0x1000);
        assertThat(gather.first()).isEqualTo(-0x1000);
        assertThat(gather.last()).isEqualTo(-1);
        assertThat(gather.isEmpty()).isFalse();
    }
}
