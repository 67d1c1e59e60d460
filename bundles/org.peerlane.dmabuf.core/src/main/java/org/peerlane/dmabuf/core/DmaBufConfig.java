package org.peerlane.dmabuf.core;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Keys of the PID {@code org.peerlane.dmabuf.core}. */
@ObjectClassDefinition(name = "DMA-BUF", description = "buffers that devices share")
public @interface DmaBufConfig {
    /** {@return whether threads are watched} */
    @AttributeDefinition(
            description =
                    "watch what threads do with locks, waits and callbacks, and which mapping each DMA uses; costs some time")
    boolean checks() default true;

    /** {@return how long a bundle or a device that leaves is waited for} */
    @AttributeDefinition(
            description =
                    "milliseconds that a bundle or device that leaves is given to stop what it has"
                            + " under way; after that devices are cut off, and what they have is"
                            + " taken back",
            min = "1")
    int departureLimitMs() default 2000;
}
