package org.peerlane.testkit.dmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.dmabuf.MockImporter.Kind;

/**
 * What every importer relies on. A test class of an exporter implements this and says how a buffer
 * is made, moved and revoked; JUnit runs the rest.
 *
 * <p><b>Life.</b> A new machine and a new exporter for each test.
 */
public interface ExporterContract {
    /** {@return the machine, the same during one test} */
    DmaBufMachine machine();

    /** {@return a new buffer of the exporter; its first reference is the caller's} */
    DmaBuf export();

    /** {@return a device that can reach the exporter's memory} */
    default ImporterDevice device() {
        return new ImporterDevice("contract0", null, null);
    }

    /**
     * {@return whether it takes importers that cannot be told to stop} Then one of them maps, too.
     */
    default boolean takesStaticImporters() {
        return true;
    }

    /** {@return whether the exporter's storage can move} Then {@link #move} does it. */
    default boolean canMove() {
        return false;
    }

    /**
     * Moves the storage, waiting for the fences.
     *
     * @throws ErrnoException {@code EBUSY} it is pinned
     */
    default void move(DmaBuf buffer) {
        throw new AssertionError("canMove, and no move of " + buffer);
    }

    /** {@return whether the exporter can take access away} Then {@link #revoke} does it. */
    default boolean canRevoke() {
        return false;
    }

    /** Takes access away, and returns when nobody has any. */
    default void revoke(DmaBuf buffer) {
        throw new AssertionError("canRevoke, and no revoke of " + buffer);
    }

    /** Gives access back. */
    default void unrevoke(DmaBuf buffer) {
        throw new AssertionError("canRevoke, and no unrevoke of " + buffer);
    }

    /** {@return how long anything may take} */
    default long limitNanos() {
        return 10_000_000_000L;
    }

    /** {@return bytes that a table covers} */
    private static long bytes(SgTable table) {
        long sum = 0;
        for (int i = 0; i < table.size(); i++) {
            sum += table.length(i);
        }
        return sum;
    }

    private Kind[] kinds() {
        return takesStaticImporters()
                ? new Kind[] {Kind.STATIC, Kind.DYNAMIC}
                : new Kind[] {Kind.DYNAMIC};
    }

    private MockImporter importer(Kind kind) {
        return machine().importer(device(), kind);
    }

    /** The end of each test: nothing is left, and nobody has broken a rule. */
    private void finish(DmaBuf buffer) {
        buffer.put();
        assertThat(machine().buffers()).as("buffers that are left").isEmpty();
        assertThat(machine().violations()).isEmpty();
    }

    /** DB-32, DB-38: the table is there, covers the buffer, and is in whole pages. */
    @Test
    default void aTableCoversTheBuffer() {
        DmaBuf buffer = export();
        for (Kind kind : kinds()) {
            MockImporter importer = importer(kind);
            importer.attach(buffer);
            for (DmaDirection direction :
                    new DmaDirection[] {
                        DmaDirection.TO_DEVICE, DmaDirection.FROM_DEVICE, DmaDirection.BIDIRECTIONAL
                    }) {
                SgTable table = importer.map(direction).table();
                assertThat(bytes(table)).as("bytes mapped").isEqualTo(buffer.size());
            }
            importer.detach();
        }
        finish(buffer);
    }

    /** DB-25, DB-36: whoever attaches and maps again and again leaves nothing behind. */
    @Test
    default void attachingMappingAndGivingBackMayBeRepeated() {
        DmaBuf buffer = export();
        for (int round = 0; round < 3; round++) {
            MockImporter one = importer(Kind.DYNAMIC);
            MockImporter other = importer(kinds()[0]);
            one.attach(buffer);
            other.attach(buffer);
            one.map(DmaDirection.BIDIRECTIONAL);
            other.map(DmaDirection.TO_DEVICE);
            one.detach();
            other.detach();
        }
        finish(buffer);
    }

    /** DB-10: an importer that attaches and never maps is no burden. */
    @Test
    default void anImporterMayLeaveWithoutHavingMapped() {
        DmaBuf buffer = export();
        MockImporter importer = importer(Kind.DYNAMIC);
        importer.attach(buffer);
        importer.detach();
        finish(buffer);
    }

    /** DB-11: the storage goes with the last reference, whoever puts that. */
    @Test
    default void theLastReferenceMayBeAnImporters() {
        DmaBuf buffer = export();
        MockImporter importer = importer(Kind.DYNAMIC);
        importer.attach(buffer);
        buffer.put();
        importer.map(DmaDirection.BIDIRECTIONAL);
        importer.detach();
        assertThat(machine().buffers()).isEmpty();
        assertThat(machine().violations()).isEmpty();
    }

    /** DB-50, DB-51: access of the CPU goes in brackets, and waits for devices. */
    @Test
    default void theCpuMayUseIt() {
        DmaBuf buffer = export();
        for (DmaDirection direction : DmaDirection.values()) {
            buffer.beginCpuAccess(direction);
            buffer.endCpuAccess(direction);
        }
        finish(buffer);
    }

    /** DB-56: the kernel's map is one, however often it is asked for, and comes back. */
    @Test
    default void theKernelMayAddressIt() {
        DmaBuf buffer = export();
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            IoSysMap first = buffer.vmap();
            IoSysMap second = buffer.vmap();
            assertThat(second).isEqualTo(first);
            buffer.vunmap(second);
            buffer.vunmap(first);
        } catch (ErrnoException e) {
            assertThat(e.errno()).as("it cannot be addressed").isEqualTo(Errno.EINVAL);
        } finally {
            reservation.unlock();
        }
        finish(buffer);
    }

    /** DY-10 to DY-15: a move makes mappings stale, and an importer maps the new place. */
    @Test
    default void aMoveMakesMappingsStaleAndTheNextIsOfTheNewPlace() {
        assumeTrue(canMove(), "it does not move");
        DmaBuf buffer = export();
        MockImporter importer = importer(Kind.DYNAMIC);
        importer.attach(buffer);
        DmaBufMapping old = importer.map(DmaDirection.BIDIRECTIONAL);
        importer.begin(FenceUsage.BOOKKEEP);
        move(buffer);
        assertThat(importer.told()).isPositive();
        assertThat(old.state()).isEqualTo(MappingState.STALE_IDLE);
        DmaBufMapping fresh = importer.map(DmaDirection.BIDIRECTIONAL); // unmaps the old one, too
        assertThat(fresh.generation()).isGreaterThan(old.generation());
        assertThat(fresh.state()).isEqualTo(MappingState.VALID);
        assertThat(bytes(fresh.table())).isEqualTo(buffer.size());
        importer.detach();
        finish(buffer);
    }

    /** DB-30, DB-31: what is pinned, by hand or because a static importer maps it, stays. */
    @Test
    default void whatIsPinnedDoesNotMove() {
        assumeTrue(canMove(), "it does not move");
        DmaBuf buffer = export();
        for (Kind kind : new Kind[] {Kind.STATIC, Kind.PINNED}) {
            MockImporter importer = importer(kind);
            importer.attach(buffer);
            DmaBufMapping mapping = importer.map(DmaDirection.BIDIRECTIONAL);
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> move(buffer))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
            assertThat(mapping.state()).isEqualTo(MappingState.VALID);
            importer.detach();
        }
        move(buffer);
        finish(buffer);
    }

    /** RK-3, RK-13: a revoke returns when all is unmapped; nothing is mapped until it is over. */
    @Test
    default void nothingIsMappedWhileItIsRevoked() {
        assumeTrue(canRevoke(), "it is never revoked");
        DmaBuf buffer = export();
        MockImporter importer = importer(Kind.DYNAMIC);
        importer.attach(buffer);
        DmaBufMapping mapping = importer.map(DmaDirection.BIDIRECTIONAL);
        EmulatedThread revoker = machine().start("revoker", () -> revoke(buffer));
        machine().until(limitNanos(), "the importer is told", () -> importer.told() > 0);
        importer.unmap();
        machine().until(limitNanos(), "the revoke returns", () -> !revoker.isAlive());
        DmaBufMachine.join(revoker);
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        Attachment attachment = importer.attachment();
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> attachment.mapUnlocked(DmaDirection.TO_DEVICE))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        unrevoke(buffer);
        importer.map(DmaDirection.TO_DEVICE);
        importer.detach();
        finish(buffer);
    }
}
