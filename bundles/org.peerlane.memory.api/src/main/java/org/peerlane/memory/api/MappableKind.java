package org.peerlane.memory.api;

/** What the mappings of an object are made of. */
public enum MappableKind {
    /**
     * RAM pages with a reference count: each entry of a page table holds one, and they can be
     * pinned. Kernel counterpart: what {@code vm_insert_page()} maps.
     */
    PAGES,
    /**
     * Physical addresses and nothing more, whoever owns them; they cannot be pinned. Kernel
     * counterpart: {@code VM_PFNMAP}, filled by {@code vmf_insert_pfn()} or {@code
     * remap_pfn_range()}.
     */
    FRAMES
}
