package org.peerlane.dmabuf.core.shadow;

import java.util.concurrent.atomic.LongAdder;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Violations;

/**
 * Which rule an access has broken that its mapping did not allow, and the report of it: one for
 * each mapping and rule, further ones are counted.
 *
 * <p><b>Threads.</b> Any.
 */
final class Judgement {
    private static final int STALE = 0;
    private static final int STALE_READ = 1;
    private static final int BEGAN = 2;
    private static final int UNMAPPED = 3;
    private static final int REVOKED = 4;
    private static final int DIRECTION = 5;

    private final Violations violations;
    private final LongAdder found = new LongAdder();

    Judgement(Violations violations) {
        this.violations = violations;
    }

    /** {@return how many accesses were wrong, those that were not reported again included} */
    long found() {
        return found.sum();
    }

    /** An access through a mapping was wrong when it ended. */
    void of(
            Entry entry,
            MappingState state,
            boolean write,
            boolean late,
            long address,
            long bytes,
            boolean arrived) {
        found.increment();
        Facts facts = entry.facts();
        String what = what(facts, write, address, bytes, arrived);
        switch (state) {
            case VALID -> direction(entry, facts, what);
            case STALE_BUSY -> {
                if (late) {
                    began(entry, facts, write, what);
                } else {
                    direction(entry, facts, what);
                }
            }
            case STALE_IDLE, UNMAPPED -> {
                if (facts.isRevoked()) {
                    revoked(entry, facts, state, write, what);
                } else if (state == MappingState.UNMAPPED) {
                    unmapped(entry, facts, what);
                } else {
                    stale(entry, facts, write, what);
                }
            }
        }
    }

    private static String what(
            Facts facts, boolean write, long address, long bytes, boolean arrived) {
        return "%s of %s %s %d bytes at %#x%s through mapping %d (generation %d) of %s#%d"
                .formatted(
                        facts.device(),
                        facts.owner(),
                        write ? "wrote" : "read",
                        bytes,
                        address,
                        arrived ? "" : ", which nobody took,",
                        facts.mapping(),
                        facts.generation(),
                        facts.exporter(),
                        facts.buffer());
    }

    private void stale(Entry entry, Facts facts, boolean write, String what) {
        if (write) {
            report(
                    entry,
                    STALE,
                    "CK-1",
                    Severity.FATAL,
                    facts,
                    "%s, which was invalidated at %d ns and whose fences have signaled; expected no write through it any more"
                            .formatted(what, facts.invalidated()));
        } else {
            report(
                    entry,
                    STALE_READ,
                    "CK-1",
                    Severity.HINT,
                    facts,
                    "%s, which was invalidated at %d ns and whose fences have signaled; right only if nobody uses what it read"
                            .formatted(what, facts.invalidated()));
        }
    }

    private void began(Entry entry, Facts facts, boolean write, String what) {
        report(
                entry,
                BEGAN,
                "CK-1",
                write ? Severity.FATAL : Severity.WRONG,
                facts,
                "%s, which was invalidated at %d ns; it began after the invalidate, and no fence of %s stands for it"
                        .formatted(what, facts.invalidated(), facts.owner()));
    }

    private void unmapped(Entry entry, Facts facts, String what) {
        report(
                entry,
                UNMAPPED,
                "CK-2",
                Severity.FATAL,
                facts,
                "%s, which was taken back at %d ns%s; expected no access after unmap"
                        .formatted(
                                what,
                                facts.unmapped(),
                                facts.invalidated() == 0
                                        ? ""
                                        : " and invalidated at %d ns"
                                                .formatted(facts.invalidated())));
    }

    private void revoked(Entry entry, Facts facts, MappingState state, boolean write, String what) {
        boolean speculative = !write && state == MappingState.STALE_IDLE;
        report(
                entry,
                speculative ? STALE_READ : REVOKED,
                "CK-3",
                speculative ? Severity.HINT : Severity.FATAL,
                facts,
                "%s, which was invalidated at %d ns%s; the buffer is %s, expected no access"
                        .formatted(
                                what,
                                facts.invalidated(),
                                facts.unmapped() == 0
                                        ? ""
                                        : " and taken back at %d ns".formatted(facts.unmapped()),
                                facts.revoke().get()));
    }

    private void direction(Entry entry, Facts facts, String what) {
        report(
                entry,
                DIRECTION,
                "CK-56",
                Severity.FATAL,
                facts,
                what + ", which was mapped TO_DEVICE; expected reads only");
    }

    private void report(
            Entry entry, int kind, String rule, Severity severity, Facts facts, String sentence) {
        if (entry.isFirst(kind)) {
            violations.report(
                    rule,
                    severity,
                    facts.owner(),
                    facts.buffer(),
                    facts.attachment(),
                    facts.mapping(),
                    sentence);
        }
    }

    /** An access ended whose mapping had been taken back so long ago that nothing is kept of it. */
    void ofForgotten(boolean write, long address, long bytes) {
        found.increment();
        violations.report(
                "CK-2",
                Severity.FATAL,
                "",
                0,
                0,
                0,
                "a %s of %d bytes at %#x ended long after its mapping was taken back"
                        .formatted(write ? "write" : "read", bytes, address));
    }
}
