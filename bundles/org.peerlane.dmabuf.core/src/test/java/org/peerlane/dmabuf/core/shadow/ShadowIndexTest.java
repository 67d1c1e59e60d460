package org.peerlane.dmabuf.core.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Violations;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("The shadow index")
class ShadowIndexTest {
    private static final int NVME = 0x0400;

    private final LiveExecution execution = new LiveExecution("shadow");
    private final Violations violations =
            new Violations(execution, new Tracer(execution::nanoTime, execution.lock("trace")));
    private ShadowIndex index = new ShadowIndex(execution, violations);

    @AfterEach
    void stop() {
        execution.close();
    }

    private FakeMapping mapping(long id, long... runs) {
        return new FakeMapping(index, id, NVME, DmaAttributes.NONE, false, runs);
    }

    private void access(long address, long bytes, boolean write) {
        long token = index.begins(NVME, DmaAttributes.NONE, address, bytes, write);
        if (token != DmaObserver.NOTHING) {
            index.ended(token, address, bytes, true);
        }
    }

    private List<String> broken() {
        return violations.latest().stream().map(v -> v.rule() + "/" + v.mapping()).toList();
    }

    @Test
    @Rule("CK-1")
    void whatWasPostedInTimeAndCameLateIsJudgedByItsOwnMapping() {
        FakeMapping old = mapping(1, 0x1000, 0x1FFF);
        long token = index.begins(NVME, DmaAttributes.NONE, 0x1000, 64, true);
        old.state = MappingState.STALE_IDLE;
        FakeMapping anew = mapping(2, 0x1000, 0x1FFF);
        assertThat(anew.state).isEqualTo(MappingState.VALID);
        access(0x1000, 64, true);
        assertThat(broken()).isEmpty();
        index.ended(token, 0x1000, 64, true);
        assertThat(broken()).containsExactly("CK-1/1");
    }

    @Test
    @Rule("CK-2")
    void anAddressBelongsToWhoHadItLastUntilItIsMappedAnew() {
        mapping(1, 0x1000, 0x2FFF).takeBack(index);
        access(0x1800, 64, false);
        FakeMapping half = mapping(2, 0x2000, 0x2FFF);
        access(0x2000, 64, true);
        assertThat(broken()).containsExactly("CK-2/1");
        half.takeBack(index);
        access(0x2000, 64, true);
        access(0x1000, 64, true);
        assertThat(broken()).containsExactly("CK-2/1", "CK-2/2");
    }

    @Test
    void anotherRequesterAndAnotherAddressSpaceAreNotMeant() {
        mapping(1, 0x1000, 0x1FFF).takeBack(index);
        assertThat(index.begins(NVME + 1, 0, 0x1000, 64, true)).isZero();
        assertThat(index.begins(NVME | 0x1_0000, 0, 0x1000, 64, true)).isZero();
        assertThat(index.begins(NVME, DmaAttributes.withPasid(0, 0), 0x1000, 64, true)).isZero();
        assertThat(index.begins(NVME, DmaAttributes.TRANSLATED, 0x1000, 64, true)).isZero();
        assertThat(index.begins(NVME, DmaAttributes.RELAXED, 0x1000, 64, true)).isNotZero();
        assertThat(index.begins(NVME, DmaAttributes.NONE, 0xFFF, 1, true)).isZero();
        assertThat(index.begins(NVME, DmaAttributes.NONE, 0x2000, 64, true)).isZero();
    }

    @Test
    void anAccessThatOneOfTwoMappingsAllowsIsRight() {
        FakeMapping one = mapping(1, 0x1000, 0x1FFF);
        FakeMapping other = mapping(2, 0x1000, 0x1FFF);
        long token = index.begins(NVME, 0, 0x1000, 64, true);
        other.takeBack(index);
        index.ended(token, 0x1000, 64, true);
        assertThat(broken()).isEmpty();
        one.state = MappingState.STALE_IDLE;
        access(0x1000, 64, true);
        assertThat(broken()).containsExactly("CK-1/1");
    }

    @Test
    @Rule("CK-2")
    void anAccessThatRunsOutOfItsMappingIntoOneThatWasTakenBackIsReported() {
        mapping(1, 0x1000, 0x17FF).takeBack(index);
        mapping(2, 0x1800, 0x1FFF);
        access(0x1800, 64, true);
        assertThat(broken()).isEmpty();
        access(0x17FF, 2, true);
        assertThat(broken()).containsExactly("CK-2/1");
    }

    @Test
    @Rule("CK-1")
    @Rule("DY-12")
    void readsOfAStaleMappingAreHintsAndWhileItIsBusyNothingIsWrong() {
        FakeMapping mapping = mapping(1, 0x1000, 0x1FFF);
        mapping.state = MappingState.STALE_BUSY;
        access(0x1000, 64, true);
        access(0x1000, 64, false);
        assertThat(broken()).isEmpty();
        mapping.state = MappingState.STALE_IDLE;
        access(0x1000, 64, false);
        assertThat(violations.latest())
                .extracting(Violation::severity)
                .containsExactly(Severity.HINT);
    }

    @Test
    @Rule("CK-1")
    void whatBeganThoughNothingMightIsReportedAtItsEnd() {
        FakeMapping mapping = mapping(1, 0x1000, 0x1FFF);
        mapping.state = MappingState.STALE_BUSY;
        mapping.mayNotBegin = true;
        access(0x1000, 64, true);
        assertThat(broken()).containsExactly("CK-1/1");
        assertThat(violations.latest().getFirst().sentence())
                .contains("it began after the invalidate");
    }

    @Test
    @Rule("CK-3")
    void afterARevokeItIsTheRevokeThatIsNamed() {
        FakeMapping before = mapping(1, 0x1000, 0x1FFF);
        FakeMapping during = mapping(2, 0x2000, 0x2FFF);
        before.takeBack(index);
        before.revoke.set(RevokeState.REVOKED); // later
        during.revoke.set(RevokeState.REVOKING);
        during.takeBack(index);
        access(0x1000, 64, true);
        access(0x2000, 64, true);
        assertThat(broken()).containsExactly("CK-2/1", "CK-3/2");
    }

    @Test
    void eachMappingAndRuleIsReportedOnceAndTheRestIsCounted() {
        FakeMapping mapping = mapping(1, 0x1000, 0x1FFF);
        mapping.takeBack(index);
        for (int i = 0; i < 5; i++) {
            access(0x1000, 64, true);
        }
        assertThat(broken()).containsExactly("CK-2/1");
        assertThat(mapping.again()).isEqualTo(4);
        assertThat(index.found()).isEqualTo(5);
    }

    @Test
    void whatIsKeptIsBounded() {
        index = new ShadowIndex(execution, violations, 4);
        for (int i = 0; i < 100; i++) {
            mapping(i, i * 0x1000L, i * 0x1000L + 0xFFF).takeBack(index);
        }
        assertThat(index.kept()).isLessThanOrEqualTo(5);
        assertThat(index.begins(NVME, 0, 0, 64, true)).isZero();
        access(99 * 0x1000L, 64, true);
        assertThat(broken()).containsExactly("CK-2/99");
    }

    @Test
    @Rule("CK-2")
    void theEndOfWhatIsNotKeptAnyMoreIsStillReported() {
        index = new ShadowIndex(execution, violations, 1);
        FakeMapping first = mapping(1, 0x1000, 0x1FFF);
        long token = index.begins(NVME, 0, 0x1000, 64, true);
        first.takeBack(index);
        for (int i = 2; i < 10; i++) {
            mapping(i, 0x9000, 0x9FFF).takeBack(index);
        }
        index.ended(token, 0x1000, 64, true);
        assertThat(broken()).containsExactly("CK-2/0");
    }

    /** All mappings that ever were, and what the index should answer. */
    private static final class Model {
        final List<FakeMapping> all = new ArrayList<>();
        final ArrayDeque<FakeMapping> kept = new ArrayDeque<>();

        /** {@return whose a byte is} */
        @Nullable FakeMapping owner(long key, long address, boolean write) {
            return all.stream()
                    .filter(m -> m.key == key && m.has(address))
                    .max(
                            Comparator.<FakeMapping>comparingInt(m -> rank(m, write))
                                    .thenComparingLong(m -> m.id))
                    .orElse(null);
        }

        private static int rank(FakeMapping mapping, boolean write) {
            return mapping.state == MappingState.VALID && !(write && mapping.readOnly)
                    ? 4
                    : 3 - mapping.state.ordinal();
        }

        static String rule(FakeMapping mapping, boolean write) {
            return switch (mapping.state) {
                case VALID, STALE_BUSY -> write && mapping.readOnly ? "CK-56" : "";
                case STALE_IDLE -> "CK-1";
                case UNMAPPED -> "CK-2";
            };
        }
    }

    private static final int MOST = 12;
    private static final long[] BASES = {0, 0x4000_0000L - 0x8000, 0x7FFF_FFFF_F000L - 0x8000};

    private static long address(Random random) {
        return BASES[random.nextInt(BASES.length)] + random.nextInt(0x10_000);
    }

    private static long[] runs(Random random) {
        if (random.nextInt(8) == 0) { // whole subtrees, not aligned
            long first = random.nextInt(0x40_0000);
            return new long[] {first, first + 0x4000_0000L + random.nextInt(0x40_0000)};
        }
        long[] runs = new long[2 * (1 + random.nextInt(3))];
        for (int i = 0; i < runs.length; i += 2) {
            runs[i] = address(random);
            runs[i + 1] = runs[i] + random.nextInt(0x3000);
        }
        return runs;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    @Rule("CK-1")
    @Rule("CK-2")
    @Rule("CK-56")
    void answersAsAListOfAllMappingsWould(int seed) {
        Random random = new Random(seed);
        index = new ShadowIndex(execution, violations, MOST);
        Model model = new Model();
        int[] attributes = {DmaAttributes.NONE, DmaAttributes.withPasid(0, 5)};
        for (int step = 0; step < 6_000; step++) {
            int requester = NVME + random.nextInt(2);
            int space = attributes[random.nextInt(2)];
            switch (random.nextInt(10)) {
                case 0 -> {
                    if (model.kept.size() > MOST) {
                        model.all.remove(model.kept.removeFirst());
                    }
                    model.all.add(
                            new FakeMapping(
                                    index,
                                    step + 1,
                                    requester,
                                    space,
                                    random.nextInt(4) == 0,
                                    runs(random)));
                }
                case 1 -> {
                    List<FakeMapping> live =
                            model.all.stream()
                                    .filter(m -> m.state != MappingState.UNMAPPED)
                                    .toList();
                    if (live.size() > 6) {
                        FakeMapping gone = live.get(random.nextInt(live.size()));
                        gone.takeBack(index);
                        model.kept.addLast(gone);
                    }
                }
                case 2 -> {
                    if (!model.all.isEmpty()) {
                        FakeMapping stale = model.all.get(random.nextInt(model.all.size()));
                        stale.state =
                                switch (stale.state) {
                                    case VALID -> MappingState.STALE_BUSY;
                                    case STALE_BUSY, STALE_IDLE -> MappingState.STALE_IDLE;
                                    case UNMAPPED -> MappingState.UNMAPPED;
                                };
                    }
                }
                default -> look(model, requester, space, address(random), random.nextBoolean());
            }
        }
        assertThat(index.found()).isGreaterThan(100);
        assertThat(violations.latest())
                .extracting(Violation::rule)
                .contains("CK-1", "CK-2", "CK-56");
    }

    private void look(Model model, int requester, int attributes, long address, boolean write) {
        FakeMapping owner = model.owner(Spaces.key(requester, attributes), address, write);
        long before = index.found();
        long reports = violations.count();
        long token = index.begins(requester, attributes, address, 1, write);
        if (owner == null) {
            assertThat(token).isEqualTo(DmaObserver.NOTHING);
            return;
        }
        assertThat(token).isNotEqualTo(DmaObserver.NOTHING);
        index.ended(token, address, 1, true);
        String rule = Model.rule(owner, write);
        assertThat(index.found() - before).isEqualTo(rule.isEmpty() ? 0 : 1);
        if (violations.count() > reports) {
            Violation last = violations.latest().getLast();
            assertThat(last.rule()).isEqualTo(rule);
            assertThat(last.mapping()).isEqualTo(owner.id);
        }
    }
}
