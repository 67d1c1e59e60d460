package org.peerlane.tests.manifests;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The execution bundles are where threads, clocks and locks come from, so they are not asked. */
@DisplayName("Threads, clocks, locks and chance in bundles")
class CallsTest {
    private static final String EXEMPT = "org.peerlane.exec.";

    /** An entry of the allow-list. */
    private record Allowed(String type, String method, String call, String why) {

        boolean covers(CallScan.Finding finding) {
            return type.equals(finding.type())
                    && method.equals(finding.method())
                    && call.equals(finding.call());
        }
    }

    @Test
    void comeFromTheExecutionServiceOnly() throws IOException {
        List<Allowed> allowList = allowList();
        Set<String> breaches = new TreeSet<>();
        for (CallScan.Finding finding : findings()) {
            if (allowList.stream().noneMatch(allowed -> allowed.covers(finding))) {
                breaches.add(finding.toString());
            }
        }
        assertThat(breaches).isEmpty();
    }

    @Test
    void noEntryOfTheAllowListIsUnneeded() throws IOException {
        List<CallScan.Finding> findings = findings();

        assertThat(allowList())
                .allSatisfy(allowed -> {
                    assertThat(allowed.why()).as("reason of %s", allowed).isNotBlank();
                    assertThat(findings).as("%s", allowed).anyMatch(allowed::covers);
                });
    }

    private static List<CallScan.Finding> findings() {
        List<CallScan.Finding> findings = new ArrayList<>();
        for (BuiltBundle bundle : BuiltBundle.all()) {
            if (!bundle.name().startsWith(EXEMPT)) {
                bundle.classes().values().forEach(bytes -> findings.addAll(CallScan.scan(bytes)));
            }
        }
        return findings;
    }

    private static List<Allowed> allowList() throws IOException {
        List<Allowed> allowList = new ArrayList<>();
        try (InputStream file =
                requireNonNull(CallsTest.class.getResourceAsStream("allowed-calls.tsv"))) {
            String text = new String(file.readAllBytes(), StandardCharsets.UTF_8);
            for (String line : text.lines().toList()) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    String[] cells = line.split("\t", -1);
                    assertThat(cells).as("columns of \"%s\"", line).hasSize(4);
                    allowList.add(new Allowed(cells[0], cells[1], cells[2], cells[3]));
                }
            }
        }
        return allowList;
    }
}
