package org.peerlane.tests.fabric;

import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.trace.api.Tracer;

/** The real core, for the mocks of the test kit. */
final class Mocks {
    private Mocks() {}

    static DmaBufMachine machine(Execution execution) {
        Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        DmaBufCore core = new DmaBufCore(execution, tracer, Profile.DEFAULT, null, true);
        return new DmaBufMachine(execution, name -> new OwnerDmaBufs(name, core), core);
    }
}
