package org.peerlane.tests.rules;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.peerlane.tests.rules.Standing.State;

/** Joins rules, tests, results and what is left out, and finds where they contradict each other. */
final class Ledger {
    private final List<Standing> standings = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    /** Joins what was read. */
    static Ledger of(Sources sources) {
        Ledger ledger = new Ledger();
        ledger.problems.addAll(sources.documentProblems());
        NavigableMap<RuleId, Definition> rules = ledger.index(sources.definitions());
        LeftOut leftOut = LeftOut.read(sources.leftOut(), rules);
        ledger.problems.addAll(leftOut.problems());
        Map<RuleId, String> named = ledger.named(sources.tests(), rules, leftOut);
        ledger.join(sources, rules, leftOut, named);
        return ledger;
    }

    /** {@return the rules in the order of the documents} */
    List<Standing> standings() {
        return List.copyOf(standings);
    }

    /** {@return what must not be, a sentence for each} */
    List<String> problems() {
        return List.copyOf(problems);
    }

    private NavigableMap<RuleId, Definition> index(List<Definition> definitions) {
        NavigableMap<RuleId, Definition> rules = new TreeMap<>();
        for (Definition definition : definitions) {
            Definition first = rules.putIfAbsent(definition.id(), definition);
            if (first != null) {
                problems.add(
                        "%s: %s is defined a second time, first at %s"
                                .formatted(definition.place(), definition.id(), first.place()));
            }
        }
        return rules;
    }

    /** {@return a test for each rule that one names} */
    private Map<RuleId, String> named(
            CompiledTests tests, NavigableMap<RuleId, Definition> rules, LeftOut leftOut) {
        Map<RuleId, String> named = new TreeMap<>();
        for (CompiledTests.Naming naming : tests.namings()) {
            if (naming.rule().startsWith(RuleId.SAMPLE)) {
                continue;
            }
            RuleId id = RuleId.parse(naming.rule());
            if (id == null || !rules.containsKey(id)) {
                problems.add(
                        "%s names the rule \"%s\", which no document of docs/reference defines"
                                .formatted(naming.test(), naming.rule()));
            } else if (named.putIfAbsent(id, naming.test()) == null
                    && leftOut.reasons().containsKey(id)) {
                problems.add(
                        "left-out.tsv leaves %s out, but %s tests it".formatted(id, naming.test()));
            }
        }
        return named;
    }

    private void join(
            Sources sources,
            NavigableMap<RuleId, Definition> rules,
            LeftOut leftOut,
            Map<RuleId, String> named) {
        Map<RuleId, List<Result>> results = new TreeMap<>();
        for (Result result : sources.results()) {
            RuleId id = RuleId.parse(result.rule());
            if (id != null
                    && sources.tests()
                            .stillAnswers(result.test(), result.rule(), result.written())) {
                results.computeIfAbsent(id, key -> new ArrayList<>()).add(result);
            }
        }
        for (Definition rule : sources.definitions()) {
            RuleId id = rule.id();
            if (rule.equals(rules.get(id))) {
                String reason = leftOut.reasons().getOrDefault(id, "");
                standings.add(
                        stand(
                                rule,
                                results.getOrDefault(id, List.of()),
                                reason,
                                named.getOrDefault(id, "")));
            }
        }
    }

    private static Standing stand(
            Definition rule, List<Result> results, String reason, String namedBy) {
        for (Result result : results) {
            if (result.isFailed()) {
                return new Standing(
                        rule, State.FAILING, result.test() + " (" + result.first() + ")");
            }
        }
        for (Result result : results) {
            if (result.isPassed()) {
                return new Standing(rule, State.TESTED, result.test());
            }
        }
        if (!reason.isEmpty()) {
            return new Standing(rule, State.LEFT_OUT, reason);
        }
        if (!results.isEmpty()) {
            Result only = results.getFirst();
            return new Standing(rule, State.MISSING, only.test() + " was " + only.outcome());
        }
        return new Standing(rule, State.MISSING, namedBy.isEmpty() ? "" : namedBy + " was not run");
    }
}
