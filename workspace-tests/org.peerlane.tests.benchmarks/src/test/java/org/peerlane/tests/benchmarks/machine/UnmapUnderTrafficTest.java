package org.peerlane.tests.benchmarks.machine;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("What is measured, while a real engine runs")
class UnmapUnderTrafficTest {
    private static final int RW = IommuDomain.READ | IommuDomain.WRITE;
    private static final long IOVA = 1L << 32;
    private static final long PAGE = 4096;
    private static final int ROUNDS = 1_000;

    private final Board board =
            Board.translated(
                            IommuSettings.of(
                                    TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT))
                    .device();
    private final long block = board.block();
    private final IommuDomain domain = newDomain();
    private final MemorySegment local = Arena.ofAuto().allocate(16 * PAGE, PAGE).fill((byte) 7);

    private IommuDomain newDomain() {
        return board.iommu().newDomain(DomainSpec.of(TableFormat.VTD_SECOND_STAGE));
    }

    @BeforeEach
    void plug() throws InterruptedException {
        board.plug().attach(0, domain);
    }

    @AfterEach
    void close() {
        board.close();
    }

    private byte ram(long offset) {
        return board.ram().get(JAVA_BYTE, block + offset);
    }

    @Rule("IM-4")
    @Rule("PT-51")
    @Test
    void noWriteLandsAfterAStrictUnmap() throws InterruptedException {
        whileTheDeviceWrites(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                domain.map(IOVA, block, PAGE, RW);
                await();
                domain.unmap(IOVA, PAGE);
                assertNothingLands(round);
            }
        });
    }

    @Rule("IM-3")
    @Test
    void noWriteLandsByWayOfADomainThatTheFunctionHasLeft() throws InterruptedException {
        domain.map(IOVA, block, PAGE, RW);
        IommuDomain other = newDomain();
        other.map(IOVA, block + PAGE, PAGE, RW);
        whileTheDeviceWrites(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                board.attach(0, domain);
                await();
                board.attach(0, other);
                assertNothingLands(round);
            }
        });
    }

    private void await() {
        Await.until("a write to land", () -> ram(0) == 7);
    }

    private void assertNothingLands(int round) {
        board.ram().set(JAVA_BYTE, block, (byte) 0);
        for (int look = 0; look < 200; look++) {
            assertThat(ram(0)).as("round %d", round).isZero();
            Thread.onSpinWait();
        }
    }

    private void whileTheDeviceWrites(Runnable body) throws InterruptedException {
        DmaPort port = board.port(0);
        boolean[] stop = new boolean[1];
        Thread engine =
                new Thread(() -> {
                    while (!stop[0]) {
                        port.write(IOVA, 0, local, 0, 64);
                        Thread.yield();
                    }
                });
        engine.start();
        try {
            body.run();
        } finally {
            stop[0] = true;
            engine.join();
        }
    }

    @Rule("IM-8")
    @Test
    void aWriteThatFaultsLosesThatPageOnly() {
        for (int page = 0; page < 16; page++) {
            if (page % 4 != 1) {
                domain.map(IOVA + page * PAGE, block + page * PAGE, PAGE, RW);
            }
        }
        for (int round = 1; round <= 3; round++) {
            local.fill((byte) round);
            assertThat(board.port(0).write(IOVA, 0, local, 0, 16 * PAGE)).isEqualTo(16 * PAGE);
            for (int page = 0; page < 16; page++) {
                assertThat(ram(page * PAGE)).isEqualTo((byte) (page % 4 == 1 ? 0 : round));
                assertThat(ram(page * PAGE + PAGE - 1)).isEqualTo(ram(page * PAGE));
            }
        }
    }
}
