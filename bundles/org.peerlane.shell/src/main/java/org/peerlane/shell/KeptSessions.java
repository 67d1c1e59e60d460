package org.peerlane.shell;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;

/**
 * Keeps the sessions of a process that runs a script and ends. Gogo holds its sessions weakly and
 * counts them before it closes them; one that is collected in between, such as the one that has run
 * the profile, would end the script's process with a stack of Gogo's on standard error.
 *
 * <p><b>Threads.</b> Any.
 */
final class KeptSessions implements CommandSessionListener {
    private final Queue<CommandSession> sessions = new ConcurrentLinkedQueue<>();

    @Override
    public void beforeExecute(CommandSession session, CharSequence line) {
        if (!sessions.contains(session)) {
            sessions.add(session);
        }
    }

    @Override
    public void afterExecute(CommandSession session, CharSequence line, Exception failure) {}

    @Override
    public void afterExecute(CommandSession session, CharSequence line, Object result) {}
}
