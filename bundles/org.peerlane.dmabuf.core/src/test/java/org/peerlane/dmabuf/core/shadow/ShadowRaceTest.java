package org.peerlane.dmabuf.core.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.dmabuf.core.check.Violations;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("Races of the shadow index")
class ShadowRaceTest {
    private static final int NVME = 0x0400;

    @Explore(schedules = 10_000)
    @Rule("CK-2")
    void aLookUpFindsItsMappingWhileOthersComeAndGoAroundIt(Execution execution) throws Exception {
        Violations violations =
                new Violations(execution, new Tracer(execution::nanoTime, execution.lock("trace")));
        ShadowIndex index = new ShadowIndex(execution, violations, 1);
        FakeMapping steady = new FakeMapping(index, 1, NVME, 0, false, 0x1000, 0x1FFF);
        EmulatedThread others =
                execution.start(
                        ThreadKind.BLOCKING,
                        "others",
                        () -> {
                            for (int i = 0; i < 4; i++) { // a page below, and far above
                                new FakeMapping(
                                                index,
                                                10 + i,
                                                NVME,
                                                0,
                                                false,
                                                0,
                                                0xFFF,
                                                0x4000_0000L << i,
                                                (0x4000_0000L << i) + 0xFFF)
                                        .takeBack(index);
                            }
                        });
        for (int i = 0; i < 4; i++) {
            long token = index.begins(NVME, 0, 0x1000, 64, true);
            assertThat(token).isNotEqualTo(DmaObserver.NOTHING);
            index.ended(token, 0x1000, 64, true);
        }
        assertThat(violations.count()).isZero();
        others.join();
        assertThat(others.failure()).isEmpty();
        steady.takeBack(index);
        long token = index.begins(NVME, 0, 0x1000, 64, true);
        index.ended(token, 0x1000, 64, true);
        assertThat(violations.latest().getFirst().mapping()).isEqualTo(1);
    }

    @Explore(schedules = 10_000)
    @Rule("CK-2")
    void anAccessIsJudgedByTheMappingThatItBeganWith(Execution execution) throws Exception {
        Violations violations =
                new Violations(execution, new Tracer(execution::nanoTime, execution.lock("trace")));
        ShadowIndex index = new ShadowIndex(execution, violations);
        FakeMapping old = new FakeMapping(index, 1, NVME, 0, false, 0x1000, 0x2FFF);
        boolean[] gone = new boolean[1];
        EmulatedThread engine =
                execution.start(
                        ThreadKind.BLOCKING,
                        "engine",
                        () -> {
                            long token = index.begins(NVME, 0, 0x2000, 64, true);
                            execution.checkpoint("test.on-its-way").reached();
                            boolean late = gone[0];
                            index.ended(token, 0x2000, 64, true);
                            assertThat(violations.count()).isEqualTo(late ? 1 : 0);
                            if (late) {
                                assertThat(violations.latest().getFirst().mapping()).isEqualTo(1);
                            }
                        });
        execution.checkpoint("test.before-unmap").reached();
        gone[0] = true;
        old.takeBack(index);
        new FakeMapping(index, 2, NVME, 0, false, 0x1000, 0x1FFF);
        engine.join();
        engine.failure()
                .ifPresent(thrown -> {
                    throw new AssertionError("the engine", thrown);
                });
    }
}
