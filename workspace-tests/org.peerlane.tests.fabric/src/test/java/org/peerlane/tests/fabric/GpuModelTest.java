package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.exporter.gpu.GpuSettings;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Rule;

/**
 * Two cards with little memory, and buffers that are arrays of bytes: whatever is done, a buffer
 * has the bytes of its array. {@code peerlane.gpu.ops} and {@code peerlane.gpu.seed} run more.
 */
@DisplayName("Buffers of GPUs against arrays of bytes")
class GpuModelTest {
    private static final int OPS = Integer.getInteger("peerlane.gpu.ops", 600);
    private static final long SEED = Long.getLong("peerlane.gpu.seed", 1);
    private static final int MOST = 24;
    private static final int MOST_PAGES = 48;
    private static final int LONGEST = 1 << 14;
    private static final List<Errno> NO_ROOM = List.of(Errno.ENOMEM);

    /** A buffer and what has to be in it. */
    private static final class Model {
        final int card;
        final byte[] bytes;

        /** By card; one is its own, the other imported; null: not open there. */
        final @Nullable GpuBuffer[] open = new GpuBuffer[2];

        @Nullable DmaBuf shared;
        @Nullable CpuMapping mapping;

        Model(int card, GpuBuffer made) {
            this.card = card;
            bytes = new byte[(int) made.size()];
            open[card] = made;
        }
    }

    /** A range of a model. */
    private record Range(Model of, int from, int bytes) {}

    private final Random random = new Random(SEED);
    private final List<Model> models = new ArrayList<>();
    private final List<Fence> work = new ArrayList<>();
    private final int[] counts = new int[10];

    @Test
    @Rule("GX-4")
    @Rule("GX-20")
    void haveTheSameBytesWhateverIsDone() {
        try (LiveExecution execution = new LiveExecution("model");
                GpuRig machine = new GpuRig(execution, GpuSettings.DEFAULT)) {
            Gpu[] gpus = {
                machine.plug("gpu0", 0),
                machine.plug(
                        "gpu1", 1, Map.of("vramMiB", 2, "visibleMiB", 1, "resizableBar", false))
            };
            long[] used = {used(gpus[0]), used(gpus[1])};
            for (int op = 0; op < OPS; op++) {
                step(machine, gpus);
            }
            finishWork();
            for (Model model : models) {
                compare(machine, model, 0, model.bytes.length);
            }
            while (!models.isEmpty()) {
                end(machine, models.getLast());
            }
            assertThat(counts).as("how often each kind of step was done").doesNotContain(0);
            for (int i = 0; i < 2; i++) {
                assertThat(gpus[i].buffers()).isEmpty();
                assertThat(gpus[i].memory().getFirst().evictions()).isPositive();
            }
            machine.leave();
            assertThat(new long[] {used(gpus[0]), used(gpus[1])}).isEqualTo(used);
        }
    }

    /** What is read to push it does not lie before it. */
    @Test
    @Rule("CK-57")
    void theFirstByteOfAnothersMemoryCanBeCopiedTo() {
        try (LiveExecution execution = new LiveExecution("model");
                GpuRig machine = new GpuRig(execution, GpuSettings.DEFAULT)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuAllocation ram = new GpuAllocation(GpuRig.PAGE, EnumSet.of(Placement.GTT), true);
            GpuBuffer buffer = gpu.allocate(ram);
            GpuBuffer source = peer.allocate(GpuAllocation.of(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            GpuBuffer imported = peer.importBuffer(shared);
            GpuRig.done(source.fill(0, 4, 0x0101_0101));
            GpuRig.done(source.copyTo(0, imported, 0, 1));
            assertThat(machine.word(buffer, 0)).isEqualTo(1);
            imported.close();
            shared.put();
            source.close();
            buffer.close();
        }
    }

    private static long used(Gpu gpu) {
        return gpu.memory().stream().mapToLong(one -> one.used()).sum();
    }

    private void step(GpuRig machine, Gpu[] gpus) {
        int kind = random.nextInt(100);
        int card = random.nextInt(2);
        if (models.isEmpty() || kind < 12) {
            allocate(gpus[card], card);
            return;
        }
        Model model = models.get(random.nextInt(models.size()));
        if (kind < 16) {
            count(1, true);
            end(machine, model);
        } else if (kind < 26) {
            share(gpus, model);
        } else if (kind < 46) {
            count(3, fill(model, card));
        } else if (kind < 66) {
            count(4, copy(model, models.get(random.nextInt(models.size())), card));
        } else if (kind < 78) {
            count(5, move(model));
        } else if (kind < 80) {
            count(6, GpuRig.unless(NO_ROOM, gpus[card]::evict));
        } else if (kind < 98) {
            touch(machine, model);
        } else {
            reset(gpus[card], card);
        }
    }

    private void count(int kind, boolean done) {
        counts[kind] += done ? 1 : 0;
    }

    private void allocate(Gpu gpu, int card) {
        if (models.size() == MOST) {
            return;
        }
        List<EnumSet<Placement>> domains =
                List.of(
                        EnumSet.of(Placement.VRAM, Placement.GTT),
                        EnumSet.of(Placement.VRAM, Placement.GTT),
                        EnumSet.of(Placement.VRAM),
                        EnumSet.of(Placement.GTT));
        GpuAllocation request =
                new GpuAllocation(
                        (long) GpuRig.PAGE * (1 + random.nextInt(MOST_PAGES)),
                        domains.get(random.nextInt(domains.size())),
                        random.nextBoolean());
        count(0, GpuRig.unless(NO_ROOM, () -> models.add(new Model(card, gpu.allocate(request)))));
    }

    /** Lets go of it in any order. */
    private void end(GpuRig machine, Model model) {
        models.remove(model);
        DmaBuf shared = model.shared;
        CpuMapping mapping = model.mapping;
        boolean first = random.nextBoolean();
        if (shared != null && first) {
            shared.put();
        }
        for (GpuBuffer one : model.open) {
            if (one != null) {
                one.close();
            }
        }
        if (mapping != null) {
            machine.unmap(mapping);
        }
        if (shared != null && !first) {
            shared.put();
        }
    }

    /** Exports it, and imports it on the other card; or takes that back. */
    private void share(Gpu[] gpus, Model model) {
        int there = 1 - model.card;
        GpuBuffer own = model.open[model.card];
        GpuBuffer imported = model.open[there];
        if (own == null) {
            throw new AssertionError("it is open on its own card as long as it is there");
        }
        DmaBuf shared = model.shared;
        if (imported != null) {
            imported.close();
            model.open[there] = null;
        } else if (shared == null) {
            model.shared = own.export(ExportInfo.O_RDWR);
            count(2, true);
        } else {
            model.open[there] = gpus[there].importBuffer(shared);
            try (GpuBuffer again = gpus[model.card].importBuffer(shared)) {
                assertThat(again).isSameAs(own);
            }
        }
    }

    private Range range(Model model, int unit, int most) {
        int bytes = unit * (1 + random.nextInt(Math.min(most, model.bytes.length) / unit));
        int from = unit * random.nextInt((model.bytes.length - bytes) / unit + 1);
        return new Range(model, from, bytes);
    }

    private boolean fill(Model model, int card) {
        GpuBuffer buffer = model.open[card];
        if (buffer == null) {
            return false;
        }
        Range to = range(model, 4, LONGEST);
        byte value = (byte) random.nextInt();
        int pattern = (value & 0xFF) * 0x0101_0101;
        boolean done =
                GpuRig.unless(NO_ROOM, () -> work.add(buffer.fill(to.from, to.bytes, pattern)));
        if (done) {
            Arrays.fill(model.bytes, to.from, to.from + to.bytes, value);
        }
        return done;
    }

    private boolean copy(Model source, Model target, int card) {
        GpuBuffer from = source.open[card];
        GpuBuffer to = target.open[card];
        if (from == null || to == null || source == target) {
            return false;
        }
        Range at = range(target, 1, random.nextInt(4) == 0 ? 8 : LONGEST);
        int bytes = Math.min(at.bytes, source.bytes.length);
        int start = random.nextInt(source.bytes.length - bytes + 1);
        boolean done =
                GpuRig.unless(NO_ROOM, () -> work.add(from.copyTo(start, to, at.from, bytes)));
        if (done) {
            System.arraycopy(source.bytes, start, target.bytes, at.from, bytes);
        }
        return done;
    }

    private boolean move(Model model) {
        GpuBuffer own = model.open[model.card];
        Placement to = Placement.values()[random.nextInt(3)];
        return own != null
                && GpuRig.unless(List.of(Errno.ENOMEM, Errno.EINVAL), () -> own.move(to));
    }

    /** A process stores or looks, through a mapping that stays or is new. */
    private void touch(GpuRig machine, Model model) {
        GpuBuffer own = model.open[model.card];
        if (own == null) {
            return;
        }
        GpuRig.idle(own);
        CpuMapping mapping = model.mapping;
        if (mapping == null) {
            mapping = machine.map(own);
            model.mapping = mapping;
        }
        if (random.nextBoolean()) {
            Range range = range(model, 4, 64);
            byte value = (byte) random.nextInt();
            for (int at = range.from; at < range.from + range.bytes; at += 4) {
                if (machine.store(mapping, at, (value & 0xFF) * 0x0101_0101)) {
                    Arrays.fill(model.bytes, at, at + 4, value);
                    count(7, true);
                }
            }
        } else {
            Range range = range(model, 8, LONGEST);
            compare(machine, model, range.from, range.bytes);
            count(8, true);
        }
        if (random.nextInt(4) == 0) {
            machine.unmap(mapping);
            model.mapping = null;
        }
    }

    private void compare(GpuRig machine, Model model, int from, int bytes) {
        GpuBuffer own = model.open[model.card];
        if (own == null) {
            throw new AssertionError("it is open on its own card as long as it is there");
        }
        GpuRig.idle(own);
        byte[] seen = machine.bytes(own, from, bytes);
        if (seen.length == bytes) { // else there was no room behind the BAR
            byte[] expected = Arrays.copyOfRange(model.bytes, from, from + bytes);
            int wrong = Arrays.mismatch(expected, seen);
            assertThat(wrong)
                    .as("seed %d: %s at 0x%x, %s", SEED, own, from + wrong, own.whereabouts())
                    .isNegative();
        }
    }

    /** What lies in VRAM is zeros then. */
    private void reset(Gpu gpu, int card) {
        finishWork();
        List<Model> lost = new ArrayList<>();
        for (Model model : models) {
            GpuBuffer own = model.open[card];
            if (own != null && model.card == card && own.placement() == Placement.VRAM) {
                GpuRig.idle(own);
                lost.add(model);
            }
        }
        gpu.reset();
        for (Model model : lost) {
            Arrays.fill(model.bytes, (byte) 0);
        }
        count(9, true);
    }

    private void finishWork() {
        work.forEach(GpuRig::done);
        work.clear();
        for (Model model : models) {
            GpuBuffer own = model.open[model.card];
            if (own != null) {
                GpuRig.idle(own);
            }
        }
    }
}
