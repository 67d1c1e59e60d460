package org.peerlane.exec.live;

import java.io.Serial;
import org.peerlane.exec.api.NamedLock;

/** The JDK's lock, with a name. */
final class LiveLock extends NamedLock {
    @Serial private static final long serialVersionUID = 1;

    LiveLock(String name) {
        super(name);
    }
}
