package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.expect;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.Attachment.Observation;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.Profile;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("Addresses that an importer has made of physical ranges")
class ObservationTest {
    private static final long IOVA = 0x10_0000;

    private final TestMachine machine = new TestMachine(new LiveExecution("observation"));
    private final PcieFunction function =
            (PcieFunction)
                    Proxy.newProxyInstance(
                            PcieFunction.class.getClassLoader(),
                            new Class<?>[] {PcieFunction.class},
                            (_, method, _) ->
                                    method.getName().equals("address")
                                            ? new PcieAddress(0, 4, 0, 0)
                                            : null);
    private final Buffer buffer = machine.export("testkit", new TestExporter.Full());
    private final BufferAttachment attachment = machine.attach(buffer, _ -> {});

    private PhysicalList list() {
        PhysicalList[] told = new PhysicalList[1];
        buffer.reservation().whileHeld(_ -> told[0] = attachment.mapPhysical());
        return told[0];
    }

    private Observation observe(PhysicalList list) {
        Observation[] made = new Observation[1];
        buffer.reservation()
                .whileHeld(_ ->
                        made[0] =
                                attachment.observe(
                                        list, function, 7, IOVA, 4096, DmaDirection.BIDIRECTIONAL));
        return made[0];
    }

    /** {@return the rules that were broken after a write} */
    private List<String> write() {
        DmaObserver observer = Objects.requireNonNull(machine.core.observer());
        int attributes = DmaAttributes.withPasid(DmaAttributes.NONE, 7);
        long token = observer.begins(0x0400, attributes, IOVA + 64, 64, true);
        assertThat(token).isNotEqualTo(DmaObserver.NOTHING);
        observer.ended(token, IOVA + 64, 64, true);
        return machine.broken();
    }

    @Test
    @Rule("CK-1")
    @Rule("CK-2")
    void areValidUntilTheCallbackAndGoneWithTheirClose() {
        Observation observation = observe(list());
        assertThat(write()).isEmpty();
        machine.invalidate(buffer);
        assertThat(write()).containsExactly("CK-1");
        observation.close();
        observation.close();
        assertThat(write()).containsExactly("CK-1", "CK-2");
    }

    @Test
    @Rule("CK-3")
    void areReportedAsRevokedOnceAccessIsTakenAway() {
        Observation observation = observe(list());
        machine.heap.revoke(buffer, false);
        assertThat(write()).containsExactly("CK-3");
        observation.close();
    }

    @Test
    @Rule("CK-2")
    void endWithTheRangesThatTheyWereMadeOf() {
        PhysicalList list = list();
        observe(list);
        buffer.reservation().whileHeld(_ -> attachment.unmapPhysical(list));
        assertThat(write()).containsExactly("CK-2");
        expect(Errno.EINVAL, () -> observe(list));
    }

    @Test
    void withoutChecksNobodyObserves() {
        DmaBufCore off =
                new DmaBufCore(
                        machine.execution,
                        new Tracer(machine.execution::nanoTime, machine.execution.lock("trace")),
                        Profile.DEFAULT,
                        null,
                        false);
        assertThat(off.observer()).isNull();
    }
}
