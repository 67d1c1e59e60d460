package org.peerlane.trace.api;

/**
 * What happened, as a record: its simple name is the event's name, its components are the event's
 * fields, plain numbers, strings, enums and addresses. Say in its javadoc when it is emitted and,
 * if it belongs to a rule, which: by {@link FallsUnder}.
 */
public interface TraceEvent {}
