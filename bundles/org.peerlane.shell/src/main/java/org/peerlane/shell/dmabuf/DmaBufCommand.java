package org.peerlane.shell.dmabuf;

import java.util.List;
import org.apache.felix.service.command.Descriptor;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Numbers;

/**
 * {@code dmabuf:ls}, {@code dmabuf:show}, {@code dmabuf:why}, {@code dmabuf:violations}, {@code
 * dmabuf:departures}, {@code dmabuf:quarantine}, {@code dmabuf:lift}. None takes a reservation: a
 * buffer that is stuck can be looked at. On a machine without buffers each says so: {@code ENODEV}.
 */
@Component(
        service = DmaBufCommand.class,
        property = {
            "osgi.command.scope=dmabuf",
            "osgi.command.function=ls",
            "osgi.command.function=show",
            "osgi.command.function=why",
            "osgi.command.function=violations",
            "osgi.command.function=departures",
            "osgi.command.function=quarantine",
            "osgi.command.function=lift"
        })
public final class DmaBufCommand {
    private static final int KEPT = 1000;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable DmaBufDebug debug;

    private DmaBufDebug present() {
        DmaBufDebug here = debug;
        if (here == null) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "this machine has no DMA-BUF; a machine gets it by org.peerlane.dmabuf.core");
        }
        return here;
    }

    private static long id(String text) {
        return Numbers.parse("buffer", text, Long.MAX_VALUE);
    }

    /** {@return all buffers} */
    @Descriptor("lists the buffers, oldest first")
    public String ls() {
        return DmaBufText.list(present().buffers());
    }

    /** {@return one buffer} */
    @Descriptor("shows who has a buffer attached, mapped and pinned, and which fences are in it")
    public String show(@Descriptor("the number of a buffer") String buffer) {
        return BufferText.of(present().buffer(id(buffer)));
    }

    /** {@return who keeps a buffer} */
    @Descriptor("says why a buffer is still alive, and what a revoke of it waits for")
    public String why(@Descriptor("the number of a buffer") String buffer) {
        return String.join("\n", present().why(id(buffer)));
    }

    /** {@return the latest violations} */
    @Descriptor("lists the rules that were broken, and by whom, latest last")
    public String violations() {
        return violations(KEPT);
    }

    /** {@return so many of them} */
    @Descriptor("lists the latest rules that were broken, and by whom")
    public String violations(@Descriptor("how many at most") String count) {
        return violations((int) Numbers.parse("count", count, KEPT));
    }

    private String violations(int count) {
        DmaBufDebug here = present();
        return DmaBufText.violations(here.violations(), here.violationCount(), count);
    }

    /** {@return who has left with something in use} */
    @Descriptor("lists bundles and devices that left, and what became of what they had")
    public String departures() {
        return DmaBufText.departures(present().departures());
    }

    /** {@return the devices that are cut off} */
    @Descriptor("lists devices that were cut off because their driver did not stop them")
    public String quarantine() {
        return DmaBufText.quarantine(present().quarantined());
    }

    /** {@return what was done} */
    @Descriptor("lets a device that was cut off use memory again, without a reset")
    public String lift(@Descriptor("its slot") String slot) {
        present().liftQuarantine(slot);
        return slot + " may use memory again; bus master is for its driver to switch on";
    }

    /** {@return lines as a command writes them} */
    static String lines(List<String> lines, String nothing) {
        return lines.isEmpty() ? nothing : String.join("\n", lines);
    }
}
