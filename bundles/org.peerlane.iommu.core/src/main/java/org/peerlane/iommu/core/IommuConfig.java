package org.peerlane.iommu.core;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** Keys of the PID {@code org.peerlane.iommu.core}. */
@ObjectClassDefinition(name = "IOMMU", description = "between the root complex and memory")
public @interface IommuConfig {
    /** {@return the page tables of the DMA API} */
    @AttributeDefinition(
            description = "format of the page tables that the DMA API uses",
            options = {
                @Option(label = "AMD host table", value = "amdv1"),
                @Option(label = "Intel VT-d second stage", value = "vtd"),
                @Option(label = "x86-64", value = "x86-64")
            })
    String format() default "vtd";

    /** {@return bits of an IOVA} */
    @AttributeDefinition(
            description = "bits of an IOVA; 0 is what the format has",
            min = "0",
            max = "64")
    int inputBits() default 0;

    /** {@return bits of a physical address} */
    @AttributeDefinition(description = "bits of a physical address", min = "32", max = "52")
    int outputBits() default 52;

    /** {@return how the DMA API works} */
    @AttributeDefinition(
            description = "strict: unmap flushes; lazy: up to 10 ms later; passthrough: identity",
            options = {
                @Option(label = "Strict", value = "strict"),
                @Option(label = "Lazy", value = "lazy"),
                @Option(label = "Pass-through", value = "passthrough")
            })
    String mode() default "strict";

    /** {@return whether interrupts are remapped} */
    @AttributeDefinition(description = "interrupt messages pass a remapping table")
    boolean interruptRemapping() default false;

    /** {@return fault records} */
    @AttributeDefinition(
            description = "fault records that the hardware has room for",
            min = "2",
            max = "65536")
    int faultSlots() default 64;

    /** {@return the time a device TLB has} */
    @AttributeDefinition(
            description = "milliseconds that a device has to complete an ATS invalidation",
            min = "1",
            max = "600000")
    int atsTimeoutMs() default 1000;

    /** {@return reserved ranges} */
    @AttributeDefinition(
            required = false,
            description =
                    "reserved ranges: '<function or *> <direct|direct-relaxable|reserved|sw-msi>"
                            + " <first>-<last>'")
    String[] reserved() default {};
}
