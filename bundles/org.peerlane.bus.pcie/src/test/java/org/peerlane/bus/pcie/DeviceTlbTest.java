package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.TestMachine.SECOND;
import static org.peerlane.bus.pcie.TestMachine.filled;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DeviceTlb;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PageRequest;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("A device's own TLB")
class DeviceTlbTest {
    private static final int PAGE = 4096;

    private final TestMachine machine = new TestMachine(true);
    private final TestTranslation iommu = new TestTranslation();
    private final TlbDevice.Type type = new TlbDevice.Type();
    private final PcieFunction card;
    private final DeviceTlb tlb;
    private final MemorySegment local = filled(4 * PAGE, 7);

    DeviceTlbTest() {
        machine.root.translation(iommu);
        card = plug(machine.root, type);
        tlb = type.made.getFirst().tlb;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private static PcieFunction plug(PcieRoot root, TlbDevice.Type type) {
        root.addType(type, "tlb", TypeVersion.of(1, 0, 0));
        root.addSlot(new SlotConfig("card", "tlb", "00:04.0", Map.of()));
        try {
            assertThat(root.settle(SECOND)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        PcieFunction card = root.functions().getLast();
        card.enable(true, true);
        ats(card, true);
        return card;
    }

    private static void ats(PcieFunction card, boolean on) {
        int at = Capabilities.extended((BusFunction) card, 0x0F);
        card.writeConfig(at + 6, 2, on ? 0x8000 : 0);
    }

    private boolean invalidate(int pasid, long address, long bytes) {
        int requester = ((BusFunction) card).requesterId();
        return machine.root.invalidate(requester, pasid, address, bytes, SECOND);
    }

    private byte ram(long offset) {
        return machine.memory.ram.get(ValueLayout.JAVA_BYTE, offset);
    }

    private int write(long iova, int attributes) {
        return DmaResult.status(tlb.write(iova, attributes, local, 0, 8));
    }

    private int asked() {
        return iommu.asked.get();
    }

    @Test
    @Rule("IM-12")
    void anAnswerIsAskedForOnceAndUsedForAllThatItCovers() {
        assertThat(tlb.write(0, 0, local, 0, 4 * PAGE)).isEqualTo(DmaResult.of(0, 4 * PAGE));
        assertThat(ram(4 * PAGE - 1)).isEqualTo((byte) 7);
        assertThat(write(TestMemory.BYTES - 8, 0)).isEqualTo(DmaResult.OK);
        assertThat(ram(TestMemory.BYTES - 8)).isEqualTo((byte) 7);
        assertThat(asked()).as("one of 1 MiB").isEqualTo(1);
    }

    @Test
    @Rule("IM-14")
    void whatIsInvalidatedIsAskedForAnewAndWhatIsNotIsKept() {
        iommu.bytes = 2 * PAGE;
        assertThat(write(PAGE, 0)).isEqualTo(DmaResult.OK);
        iommu.bytes = PAGE;
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
        assertThat(asked()).isEqualTo(2);
        iommu.base += 64 * PAGE;
        assertThat(invalidate(-1, PAGE, PAGE)).isTrue();
        iommu.bytes = 2 * PAGE;
        assertThat(write(16, 0)).isEqualTo(DmaResult.OK);
        assertThat(ram(16)).as("kept").isEqualTo((byte) 7);
        assertThat(write(PAGE + 16, 0)).isEqualTo(DmaResult.OK);
        assertThat(ram(PAGE + 16)).isZero();
        assertThat(ram(65 * PAGE + 16)).isEqualTo((byte) 7);
        assertThat(asked()).isEqualTo(3);
        assertThat(invalidate(-1, 0, -1)).isTrue();
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
        assertThat(asked()).as("everything").isEqualTo(4);
    }

    @Test
    @Rule("IM-16")
    void eachProcessAddressSpaceHasItsOwnTranslations() {
        iommu.perPasid = 16 * PAGE;
        iommu.bytes = PAGE;
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
        assertThat(write(0, DmaAttributes.withPasid(0, 2))).isEqualTo(DmaResult.OK);
        assertThat(write(0, DmaAttributes.withPasid(0, 3))).isEqualTo(DmaResult.OK);
        assertThat(List.of(ram(0), ram(32 * PAGE), ram(48 * PAGE))).containsOnly((byte) 7);
        assertThat(asked()).isEqualTo(3);
        assertThat(invalidate(2, 0, -1)).isTrue();
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
        assertThat(write(0, DmaAttributes.withPasid(0, 3))).isEqualTo(DmaResult.OK);
        assertThat(asked()).as("the others are kept").isEqualTo(3);
        assertThat(write(0, DmaAttributes.withPasid(0, 2))).isEqualTo(DmaResult.OK);
        assertThat(asked()).isEqualTo(4);
    }

    @Test
    @Rule("IM-12")
    void withoutAccessNothingIsSentAndNothingIsKept() {
        iommu.bytes = PAGE;
        iommu.permissions = PageRequest.READ;
        assertThat(tlb.write(0, 0, local, 0, 8)).isEqualTo(DmaResult.of(1, 0));
        assertThat(DmaResult.status(tlb.read(0, 0, local, 0, 8))).isEqualTo(DmaResult.OK);
        assertThat(write(0, 0)).as("kept for reads only").isEqualTo(1);
        assertThat(tlb.read(0, 0, local, 0, 2 * PAGE)).as("half").isEqualTo(DmaResult.of(1, PAGE));
        iommu.permissions = PageRequest.READ | PageRequest.WRITE;
        iommu.bytes = 2 * PAGE;
        assertThat(write(PAGE, 0)).isEqualTo(DmaResult.OK);
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
    }

    @Test
    @Rule("IM-12")
    void whatWasKeptBeforeAtsWasSwitchedOffIsNotUsedAfter() {
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
        ats(card, false);
        assertThat(write(0, 0)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        iommu.base += PAGE;
        ats(card, true);
        machine.memory.ram.fill((byte) 0);
        assertThat(write(0, 0)).isEqualTo(DmaResult.OK);
        assertThat(ram(0)).isZero();
        assertThat(ram(PAGE)).isEqualTo((byte) 7);
    }

    @Test
    void moreTranslationsThanThereIsRoomForPutEachOtherOut() {
        iommu.bytes = PAGE;
        for (int pass = 0; pass < 2; pass++) {
            for (int pasid = 0; pasid < 4 * TlbDevice.ENTRIES; pasid++) {
                assertThat(write(0, DmaAttributes.withPasid(0, pasid))).isEqualTo(DmaResult.OK);
            }
        }
        assertThat(asked()).isGreaterThan(4 * TlbDevice.ENTRIES);
        assertThat(invalidate(-1, 0, -1)).isTrue();
    }

    @Test
    void aHitAllocatesNothing() {
        Tracer nobody = new Tracer(machine.execution::nanoTime, machine.execution.lock("trace"));
        try (PcieRoot root = new PcieRoot(machine.execution, nobody, machine.memory, true)) {
            root.translation(iommu);
            plug(root, type);
            assertNoAllocation(type.made.getLast().tlb);
        }
    }

    private void assertNoAllocation(DeviceTlb own) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int times = 20_000;
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < times; i++) {
                if (!DmaResult.isOk(own.read(0, 0, local, 0, 64))) {
                    throw new AssertionError();
                }
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).isLessThan(times);
    }

    /** Nothing arrives at the old place once an invalidation is answered, whoever was under way. */
    @Rule("IM-14")
    @Explore(schedules = 2000)
    void anInvalidationIsAnsweredAfterTheLastUseOfTheOldTranslation(Execution execution)
            throws InterruptedException {
        TestMemory memory = new TestMemory();
        TestTranslation mapping = new TestTranslation();
        TlbDevice.Type devices = new TlbDevice.Type();
        mapping.bytes = 2 * PAGE;
        Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        try (PcieRoot root = new PcieRoot(execution, tracer, memory, true)) {
            root.translation(mapping);
            PcieFunction function = plug(root, devices);
            DeviceTlb own = devices.made.getFirst().tlb;
            MemorySegment data = filled(2 * PAGE, 5);
            Runnable body =
                    () -> {
                        for (int i = 0; i < 3; i++) {
                            assertThat(DmaResult.isOk(own.write(0, 0, data, 0, 2 * PAGE))).isTrue();
                        }
                    };
            EmulatedThread one = execution.start(ThreadKind.BLOCKING, "engine 1", body);
            EmulatedThread two = execution.start(ThreadKind.BLOCKING, "engine 2", body);
            execution.sleep(1);
            mapping.base = TestMemory.BASE + 8 * PAGE;
            int requester = ((BusFunction) function).requesterId();
            assertThat(root.invalidate(requester, -1, 0, 2 * PAGE, SECOND)).isTrue();
            memory.ram.asSlice(0, 2 * PAGE).fill((byte) 0);
            one.join();
            two.join();
            assertThat(DmaResult.isOk(own.write(0, 0, data, 0, 2 * PAGE))).isTrue();
            assertThat(DmaResult.isOk(own.read(0, 0, data, 0, 0))).isTrue();
            assertThat(root.invalidate(requester, -1, 0, -1, SECOND)).isTrue();
            for (int page = 0; page < 2; page++) {
                byte old = memory.ram.get(ValueLayout.JAVA_BYTE, page * PAGE);
                assertThat(old).as("old place, page " + page).isZero();
                byte now = memory.ram.get(ValueLayout.JAVA_BYTE, (8 + page) * PAGE);
                assertThat(now).as("new place, page " + page).isEqualTo((byte) 5);
            }
        }
    }
}
