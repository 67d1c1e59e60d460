package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.testkit.GoldenRow;
import org.peerlane.testkit.GoldenRow.Answer;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.WatchedExecution;

/**
 * What a real kernel answered ({@code docs/reference/golden/sync.tsv}), row by row: the rows of a
 * scenario before the one that is tested are run first.
 */
@DisplayName("Golden table sync")
class GoldenSyncTest {
    static List<GoldenRow> rows() throws IOException {
        List<GoldenRow> rows = GoldenRow.of("sync");
        assertThat(rows).hasSize(34);
        return rows;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    @Rule("DB-52")
    @Rule("DB-62")
    @Rule("DB-63")
    @Rule("DB-65")
    void theCoreAnswersAsTheKernelDid(GoldenRow row) throws Exception {
        Assumptions.assumeFalse(
                row.name().equals("sync.export_on_other.1"),
                "a file without the call has no method to be called: that is the front end's");
        Scenario scenario = new Scenario();
        for (GoldenRow earlier : rows()) {
            if (earlier.isOfScenarioOf(row)) {
                Answer answer = scenario.run(earlier);
                if (earlier.equals(row)) {
                    assertThat(answer).isEqualTo(row.answer());
                    return;
                }
            }
        }
        throw new AssertionError(row + " is not in the table");
    }

    /** A buffer, and the timeline of a {@code sw_sync}. */
    private static final class Scenario {
        private final WatchedExecution execution = new WatchedExecution(new LiveExecution("sync"));
        private final TestMachine machine = new TestMachine(execution);
        private final Buffer buffer = machine.export(new TestExporter());
        private final long context = machine.heap.fences().allocateContexts(1);
        private final List<Fence> pending = new ArrayList<>();
        private SyncFile signalled = machine.heap.syncFile(machine.heap.fences().stub());

        Answer run(GoldenRow row) throws InterruptedException {
            signals(row.arguments());
            try {
                return switch (row.call()) {
                    case "DMA_BUF_IOCTL_SYNC" -> new Answer("0", sync(row));
                    case "DMA_BUF_IOCTL_EXPORT_SYNC_FILE" -> export(row);
                    case "DMA_BUF_IOCTL_IMPORT_SYNC_FILE" -> {
                        buffer.importSyncFile((int) row.field("flags"), file(row.arguments()));
                        yield new Answer("0", "");
                    }
                    case "poll" -> poll(row.arguments());
                    default -> throw new AssertionError(row.call());
                };
            } catch (ErrnoException e) {
                return new Answer("-" + e.errno(), "");
            }
        }

        /** What happens before the call. */
        private void signals(String arguments) {
            if (arguments.startsWith("first signalled")) {
                pending.getFirst().signal();
            } else if (arguments.startsWith("both signalled")
                    || arguments.startsWith("after signal")) {
                pending.forEach(Fence::signal);
            }
        }

        private SyncFile file(String arguments) {
            if (arguments.startsWith("signalled")) {
                return signalled;
            }
            Fence fence =
                    machine.heap.fences().create(TestMachine.ISSUER, context, pending.size() + 1);
            pending.add(fence);
            return machine.heap.syncFile(fence);
        }

        private Answer export(GoldenRow row) {
            SyncFile file = buffer.exportSyncFile((int) row.field("flags"));
            if (row.scenario().equals("sync.import_stub")) {
                signalled = file;
            }
            return new Answer(
                    "0", "status=%d num_fences=%d".formatted(file.status(), file.info().size()));
        }

        private Answer poll(String arguments) {
            int events = arguments.contains("POLLIN") ? OpenFile.POLLIN : 0;
            events |= arguments.contains("POLLOUT") ? OpenFile.POLLOUT : 0;
            int ready = buffer.poll(events);
            return new Answer(ready == 0 ? "0" : "1", "revents=0x" + Integer.toHexString(ready));
        }

        private String sync(GoldenRow row) throws InterruptedException {
            if (!row.arguments().contains("with a pending")) {
                buffer.sync(row.field("flags"));
                return "";
            }
            long flags = row.arguments().contains("READ with") ? 1 : 3;
            flags |= row.arguments().startsWith("END") ? 4 : 0;
            long given = flags;
            EmulatedThread caller = machine.start("caller", () -> buffer.sync(given));
            if (row.note().startsWith("blocked")) {
                execution.awaitWaiting("caller");
                assertThat(caller.isAlive()).isTrue();
                pending.forEach(Fence::signal);
                TestMachine.join(caller);
                return "blocked until the fence signalled (200 ms)";
            }
            assertThat(caller.join(60_000_000_000L)).as("did not block").isTrue();
            return "did not block";
        }
    }
}
