package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.iommu.core.DmaDeviceTest.assertErrno;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PageRequest;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.PageRequestGroup;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("ATS, PASID and page requests")
class FunctionFeaturesTest {
    private static final int ME = TestMachine.REQUESTER;
    private static final long IOVA = 0x4000_0000;
    private static final long A = 0x1_0000_0000L;
    private static final long PAGE = TestMachine.PAGE;
    private static final int LAST_READ = PageRequest.READ | PageRequest.LAST;

    @Rule("IM-12")
    @Explore(schedules = 1)
    void aTranslationRequestSaysWhatIsAllowedAndNoAccessIsNoFault(Execution execution)
            throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, 2 * PAGE, IommuDomain.READ);
            DmaTranslation.Target target = new DmaTranslation.Target();
            assertThat(machine.iommu.translationRequest(ME, 0, IOVA, 3, target))
                    .as("ATS is off")
                    .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
            machine.settle();
            int faults = machine.iommu.faults().size();

            machine.iommu.enableAts(machine.function, true);
            assertThat(machine.function.config.get(TestFunction.ATS_CONTROL)).isEqualTo(0x8000L);
            assertThat(machine.iommu.translationRequest(ME, 0, IOVA + 8, 3, target))
                    .isEqualTo(DmaResult.OK);
            assertThat(target.physical).isEqualTo(A + 8);
            assertThat(target.bytes).isEqualTo(PAGE - 8);
            assertThat(target.permissions).isEqualTo(PageRequest.READ);
            assertThat(machine.iommu.translationRequest(ME, 0, IOVA + 4 * PAGE, 1, target))
                    .isEqualTo(DmaResult.OK);
            assertThat(target.bytes).isZero();
            assertThat(target.permissions).isZero();
            machine.settle();
            assertThat(machine.iommu.faults()).hasSize(faults);
        }
    }

    @Rule("IM-13")
    @Explore(schedules = 1)
    void translatedRequestsOfAFunctionWithoutAtsAreBlocked(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            machine.attached();
            assertThat(machine.root.where(ME, DmaAttributes.TRANSLATED, A, true)).isEqualTo(-1);
            machine.settle();
            assertThat(machine.iommu.faults())
                    .extracting(FaultRecord::reason)
                    .containsExactly(FaultReason.REQUEST_BLOCKED);
            machine.iommu.enableAts(machine.function, true);
            assertThat(machine.root.where(ME, DmaAttributes.TRANSLATED, A, true)).isEqualTo(A);
            machine.iommu.enableAts(machine.function, false);
            assertThat(machine.root.where(ME, DmaAttributes.TRANSLATED, A, true)).isEqualTo(-1);
            assertThat(machine.root.invalidations).hasSize(1);
        }
    }

    @Rule("IM-14")
    @Rule("PT-51")
    @Explore(schedules = 1)
    void aDeviceTlbThatDoesNotAnswerIsReported(Execution execution) {
        try (TestMachine machine = new TestMachine(execution)) {
            var timeouts = machine.record(IommuEvents.AtsTimeout.class);
            IommuDomain domain = machine.attached();
            machine.iommu.enableAts(machine.function, true);
            domain.map(IOVA, A, 16 * PAGE, TestMachine.RW);
            var gather = domain.newGather();
            domain.unmap(IOVA, PAGE, gather);
            assertThat(domain.sync(gather)).isTrue();
            assertThat(machine.root.invalidations).containsExactly("32:-1 0x40000000+0x1000");
            machine.root.deaf = true;
            domain.unmap(IOVA + PAGE, 5 * PAGE, gather);
            assertThat(domain.sync(gather)).isFalse();
            assertThat(timeouts)
                    .containsExactly(
                            new IommuEvents.AtsTimeout(TestMachine.ADDRESS, -1, IOVA, 8 * PAGE));
        }
    }

    @Rule("IM-16")
    @Explore(schedules = 1)
    void pasidIsSwitchedBeforeAtsAndNotWhileItIsOn(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = machine.attached();
            domain.map(IOVA, A, PAGE, TestMachine.RW);
            int tagged = DmaAttributes.withPasid(0, 9);
            assertThat(machine.root.where(ME, tagged, IOVA, true)).isEqualTo(-1);
            assertErrno(Errno.EINVAL, () -> machine.iommu.attach(TestMachine.ADDRESS, 9, domain));
            machine.iommu.enableAts(machine.function, true);
            assertErrno(Errno.EBUSY, () -> machine.iommu.enablePasid(machine.function, true));
            machine.iommu.enableAts(machine.function, false);
            machine.iommu.enablePasid(machine.function, true);
            assertThat(machine.function.config.get(TestFunction.PASID_CONTROL)).isEqualTo(1L);
            machine.iommu.attach(TestMachine.ADDRESS, 9, domain);
            assertThat(machine.root.where(ME, tagged, IOVA, true)).isEqualTo(A);
            assertErrno(Errno.EBUSY, () -> machine.iommu.enablePasid(machine.function, false));
            machine.settle();
            assertThat(machine.iommu.faults()).extracting(FaultRecord::pasid).containsExactly(9);
        }
    }

    private static IommuDomain withPri(TestMachine machine) {
        IommuDomain domain = machine.attached();
        assertErrno(Errno.EINVAL, () -> machine.iommu.enablePri(machine.function, 8));
        machine.iommu.enableAts(machine.function, true);
        machine.iommu.enablePri(machine.function, 8);
        assertThat(machine.function.config.get(TestFunction.PRI_ALLOCATION)).isEqualTo(8L);
        assertErrno(Errno.EBUSY, () -> machine.iommu.enableAts(machine.function, false));
        return domain;
    }

    @Rule("PT-61")
    @Rule("IM-15")
    @Explore(schedules = 500)
    void theLastRequestCompletesItsGroup(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            List<PageRequestGroup> groups = new ArrayList<>();
            withPri(machine).onPageRequest(groups::add);
            machine.iommu.pageRequest(ME, 0, IOVA, PageRequest.READ, 5);
            machine.iommu.pageRequest(ME, 0, IOVA + PAGE, PageRequest.READ, 6);
            machine.settle();
            assertThat(groups).isEmpty();
            machine.iommu.pageRequest(
                    ME, 0, IOVA + 2 * PAGE, PageRequest.WRITE | PageRequest.LAST, 5);
            machine.settle();
            assertThat(groups).hasSize(1);
            PageRequestGroup group = groups.getFirst();
            assertThat(group.index()).isEqualTo(5);
            assertThat(group.requester()).isEqualTo(TestMachine.ADDRESS);
            assertThat(group.pasid()).isEqualTo(-1);
            assertThat(group.pages())
                    .containsExactly(
                            new PageRequestGroup.Page(IOVA, true, false),
                            new PageRequestGroup.Page(IOVA + 2 * PAGE, false, true));
            assertThat(machine.root.responses).isEmpty();
        }
    }

    @Rule("PT-62")
    @Explore(schedules = 100)
    void aGroupIsAnsweredOnce(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            AtomicBoolean second = new AtomicBoolean(true);
            withPri(machine)
                    .onPageRequest(group -> {
                        assertErrno(Errno.EINVAL, () -> group.respond(7));
                        group.respond(PageRequest.SUCCESS);
                        second.set(group.respond(PageRequest.FAILURE));
                    });
            machine.iommu.pageRequest(ME, 0, IOVA, LAST_READ, 5);
            machine.settle();
            assertThat(machine.root.responses).containsExactly("32:-1 group 5 code 0");
            assertThat(second).isFalse();
        }
    }

    @Rule("PT-61")
    @Rule("PT-62")
    @Explore(schedules = 100)
    void withoutAHandlerTheAnswerIsInvalidAndAHandlerThatThrowsIsAFailure(Execution execution)
            throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            IommuDomain domain = withPri(machine);
            machine.iommu.pageRequest(ME, 0, IOVA, LAST_READ, 1);
            machine.settle();
            domain.onPageRequest(_ -> {
                throw new IllegalStateException("planted");
            });
            machine.iommu.pageRequest(ME, 0, IOVA, LAST_READ, 2);
            machine.settle();
            assertThat(machine.root.responses)
                    .containsExactly("32:-1 group 1 code 1", "32:-1 group 2 code 15");
        }
    }

    @Rule("PT-64")
    @Explore(schedules = 2_000)
    void detachingAnswersWhatIsOpenAndNoHandlerRunsAfterIt(Execution execution) throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            AtomicBoolean detached = new AtomicBoolean();
            withPri(machine)
                    .onPageRequest(group -> {
                        assertThat(detached).isFalse();
                        execution.checkpoint("test.handling").reached();
                        assertThat(detached).isFalse();
                        if (group.index() == 1) {
                            group.respond(PageRequest.SUCCESS);
                        }
                    });
            machine.engine(() -> {
                machine.iommu.pageRequest(ME, 0, IOVA, LAST_READ, 1);
                machine.iommu.pageRequest(ME, 0, IOVA, LAST_READ, 2);
            });
            machine.iommu.detach(TestMachine.ADDRESS, TestMachine.NONE);
            detached.set(true);
            machine.join();
            machine.settle();
            assertThat(machine.root.responses).hasSize(2);
        }
    }

    @Explore(schedules = 20)
    void requestsBeyondTheQueueAreAnsweredSoThatTheDeviceAsksAgain(Execution execution)
            throws Exception {
        try (TestMachine machine = new TestMachine(execution)) {
            withPri(machine).onPageRequest(group -> group.respond(PageRequest.SUCCESS));
            var handler = execution.lock("test.handler");
            handler.lock();
            var armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "iommu.page-requests.handling",
                                    () -> {
                                        handler.lock();
                                        handler.unlock();
                                    });
            for (int i = 0; i < 300; i++) {
                machine.iommu.pageRequest(ME, 0, IOVA, LAST_READ, i);
            }
            handler.unlock();
            execution.sleep(1_000_000_000);
            armed.close();
            assertThat(machine.root.responses).hasSize(300).doesNotHaveDuplicates();
        }
    }
}
