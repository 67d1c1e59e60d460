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
}
