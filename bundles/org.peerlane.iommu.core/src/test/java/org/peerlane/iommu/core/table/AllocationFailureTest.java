package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.iommu.core.table.Fixture.RW;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("A map that gets no table page")
@Rule("PT-30")
@Rule("PT-36")
class AllocationFailureTest {
    static Format[] formats() {
        return new Format[] {
            Format.amdV1(5), Format.vtdSecondStage(4), Format.x86FirstStage(4, false),
        };
    }

    @ParameterizedTest
    @MethodSource("formats")
    void leaksNothingWhicheverAllocationFails(Format format) {
        long iova = (1L << 50) - 0x3000;
        long bytes = (1L << 21) * 3;
        for (int nth = 1; ; nth++) {
            try (Fixture f = new Fixture(format)) {
                f.memory.failNth(nth);
                long mapped = bytes;
                try {
                    f.table.map(iova, 0x1000, bytes, RW);
                } catch (ErrnoException e) {
                    assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
                    mapped = e instanceof MapFailed failed ? failed.mapped() : 0;
                }
                f.memory.failNth(0);
                assertThat(f.table.physicalOf(iova + mapped)).isEqualTo(-1);
                assertThat(f.unmap(iova, bytes)).isEqualTo(mapped);
                f.table.map(iova, 0x1000, bytes, RW);
                assertThat(f.table.physicalOf(iova + bytes - 1)).isEqualTo(0x1000 + bytes - 1);
                if (mapped == bytes) {
                    assertThat(nth).isGreaterThan(9);
                    return;
                }
            }
        }
    }

    @Test
    void leaksNothingIfWhoSitsAtTheCheckpointThrows() {
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            int before = f.memory.takenPages();
            for (String name : new String[] {"before-install", "before-grow"}) {
                Runnable thrower =
                        () -> {
                            throw new IllegalStateException("planted");
                        };
                try (Armed armed = f.execution.checkpoints().arm("iommu.table." + name, thrower)) {
                    Throwable thrown = null;
                    try {
                        f.table.map(name.endsWith("grow") ? 1L << 40 : 0, 0, 4096, RW);
                    } catch (IllegalStateException e) {
                        thrown = e;
                    }
                    assertThat(thrown).hasMessage("planted");
                    assertThat(armed.hits()).isEqualTo(1);
                }
            }
            assertThat(f.memory.takenPages()).isEqualTo(before);
        }
    }
}
