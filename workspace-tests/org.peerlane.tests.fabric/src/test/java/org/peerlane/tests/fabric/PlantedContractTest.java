package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.dmabuf.ExporterContract;
import org.peerlane.testkit.dmabuf.ImporterContract;
import org.peerlane.testkit.dmabuf.MockImporter.Behaviour;
import org.peerlane.testkit.dmabuf.Step;

@DisplayName("A plugin that breaks its contract does not pass")
class PlantedContractTest {
    private static final long LIMIT = 300_000_000L;

    /** An exporter that takes too long after this. */
    private static class Exporter extends MockExporterContractTest {
        @Override
        public long limitNanos() {
            return LIMIT;
        }
    }

    private static class Importer extends MockImporterContractTest {
        @Override
        public long limitNanos() {
            return LIMIT;
        }
    }

    private static Arguments exporter(
            String mistake, Consumer<ExporterContract> test, Supplier<Exporter> flawed) {
        return Arguments.of(mistake, (Runnable) () -> test.accept(flawed.get()));
    }

    private static Arguments importer(
            String mistake, Consumer<ImporterContract> test, Supplier<Importer> flawed) {
        return Arguments.of(mistake, (Runnable) () -> test.accept(flawed.get()));
    }

    private static Importer behaving(Behaviour behaviour) {
        Importer flawed = new Importer();
        flawed.importer.behave(behaviour);
        return flawed;
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                exporter(
                        "map answers null",
                        ExporterContract::aTableCoversTheBuffer,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter().answer(() -> null);
                            return flawed;
                        }),
                exporter(
                        "the table is too short",
                        ExporterContract::aTableCoversTheBuffer,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter()
                                    .answer(() ->
                                            new SgTable(
                                                    new long[] {0x1000}, new long[] {4096}, ""));
                            return flawed;
                        }),
                exporter(
                        "runs overlap",
                        ExporterContract::attachingMappingAndGivingBackMayBeRepeated,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter().answer(flawed.exporter()::overlapping);
                            return flawed;
                        }),
                exporter(
                        "unmap throws",
                        ExporterContract::attachingMappingAndGivingBackMayBeRepeated,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter()
                                    .throwNext(Step.UNMAP, new IllegalStateException("planted"));
                            return flawed;
                        }),
                exporter(
                        "detach throws",
                        ExporterContract::anImporterMayLeaveWithoutHavingMapped,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter()
                                    .throwNext(Step.DETACH, new IllegalStateException("planted"));
                            return flawed;
                        }),
                exporter(
                        "release throws",
                        ExporterContract::theLastReferenceMayBeAnImporters,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter()
                                    .throwNext(Step.RELEASE, new IllegalStateException("planted"));
                            return flawed;
                        }),
                exporter(
                        "it keeps a reference for ever",
                        ExporterContract::theLastReferenceMayBeAnImporters,
                        () ->
                                new Exporter() {
                                    @Override
                                    public DmaBuf export() {
                                        DmaBuf buffer = super.export();
                                        buffer.get();
                                        return buffer;
                                    }
                                }),
                exporter(
                        "access of the CPU is refused",
                        ExporterContract::theCpuMayUseIt,
                        () -> {
                            Exporter flawed = new Exporter();
                            flawed.exporter()
                                    .throwNext(
                                            Step.BEGIN_CPU_ACCESS,
                                            new IllegalStateException("planted"));
                            return flawed;
                        }),
                exporter(
                        "a move tells nobody",
                        ExporterContract::aMoveMakesMappingsStaleAndTheNextIsOfTheNewPlace,
                        () ->
                                new Exporter() {
                                    @Override
                                    public void move(DmaBuf buffer) {}
                                }),
                exporter(
                        "pins do not count",
                        ExporterContract::whatIsPinnedDoesNotMove,
                        () ->
                                new Exporter() {
                                    @Override
                                    public void move(DmaBuf buffer) {
                                        exporter().invalidate();
                                    }
                                }),
                exporter(
                        "a revoke tells nobody",
                        ExporterContract::nothingIsMappedWhileItIsRevoked,
                        () ->
                                new Exporter() {
                                    @Override
                                    public void revoke(DmaBuf buffer) {}
                                }),
                importer(
                        "it never lets go",
                        ImporterContract::whatItHasTakenItGivesBack,
                        () ->
                                new Importer() {
                                    @Override
                                    public void release() {}
                                }),
                importer(
                        "it keeps a reference",
                        ImporterContract::itMayLetGoAtOnce,
                        () ->
                                new Importer() {
                                    @Override
                                    public void take(DmaBuf buffer) {
                                        buffer.get();
                                        super.take(buffer);
                                    }
                                }),
                importer(
                        "an attach that fails costs a reference",
                        ImporterContract::anAttachThatFailsLeavesNothingBehind,
                        () ->
                                new Importer() {
                                    @Override
                                    public void take(DmaBuf buffer) {
                                        buffer.get();
                                        super.take(buffer);
                                        buffer.put();
                                    }
                                }),
                importer(
                        "it swallows what map answers",
                        ImporterContract::aMapThatFailsLeavesNothingBehind,
                        () ->
                                new Importer() {
                                    @Override
                                    public void use() {
                                        try {
                                            super.use();
                                        } catch (ErrnoException e) {
                                            assertThat(e).isNotNull();
                                        }
                                    }
                                }),
                importer(
                        "it returns with the reservation",
                        ImporterContract::itHoldsNoReservationWhenItReturns,
                        () ->
                                new Importer() {
                                    @Override
                                    public void use() {
                                        super.use();
                                        importer.attachment().buffer().reservation().lock(null);
                                    }
                                }),
                importer(
                        "its work never ends",
                        ImporterContract::itFollowsAMove,
                        () -> behaving(Behaviour.SLOW)),
                importer(
                        "it heeds no callback",
                        ImporterContract::itFollowsAMove,
                        () -> behaving(Behaviour.HEEDLESS)),
                importer(
                        "its callback throws",
                        ImporterContract::itMayBeToldAtAnyTime,
                        () -> behaving(Behaviour.THROWING)),
                importer(
                        "its callback never returns",
                        ImporterContract::itMayBeToldAtAnyTime,
                        () -> {
                            Importer flawed = behaving(Behaviour.HANGING);
                            flawed.importer.door().shut();
                            return flawed;
                        }),
                importer(
                        "it waits to be asked for its addresses",
                        ImporterContract::itUnmapsWhenItIsRevoked,
                        () -> behaving(Behaviour.OBEDIENT)),
                importer(
                        "it takes one run only",
                        ImporterContract::itTakesAnyNumberOfRuns,
                        () ->
                                new Importer() {
                                    @Override
                                    public void use() {
                                        super.use();
                                        importer.attachment()
                                                .buffer()
                                                .reservation()
                                                .whileHeld(_ ->
                                                        assertThat(
                                                                        importer.attachment()
                                                                                .mappings()
                                                                                .getFirst()
                                                                                .table()
                                                                                .size())
                                                                .isEqualTo(1));
                                    }
                                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void aMistakeIsSeen(String mistake, Runnable test) {
        assertThat(catchThrowable(test::run)).as(mistake).isNotNull();
    }
}
