package org.peerlane.tests.rules;

/**
 * How a rule stands after the last run.
 *
 * @param rule the rule
 * @param state in one word
 * @param detail the test that passed or failed, the reason it is left out for, or why a test that
 *     names it does not count; else empty
 */
record Standing(Definition rule, State state, String detail) {

    /** From what is wanted to what is not there. */
    enum State {
        TESTED("tested"),
        FAILING("failing"),
        LEFT_OUT("left-out"),
        MISSING("missing");

        private final String text;

        State(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
