package org.peerlane.exec.api;

import org.osgi.annotation.versioning.ProviderType;

/** An action that is due later. */
@ProviderType
public interface Timer {
    /** {@return whether the action had not begun and now never will} */
    boolean cancel();
}
