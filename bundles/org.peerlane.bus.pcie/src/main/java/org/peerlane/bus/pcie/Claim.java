package org.peerlane.bus.pcie;

/**
 * The addresses that one BAR needs, or one BAR of all virtual functions in a row, and where they
 * are.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class Claim implements Tenant {
    private final Endpoint function;
    private final Aperture from;
    private final SizedBar bar;
    private final int register;
    private final int resource;
    private final int copies;
    private long base;

    /**
     * @param from what its addresses are taken from
     * @param register where the first BAR is in config space
     * @param resource number of the first BAR: 0, {@link Endpoint#BARS} of virtual functions, or
     *     {@link EndpointBars#ROM_PLACE}
     * @param copies how many follow one another
     */
    Claim(Endpoint function, Aperture from, SizedBar bar, int register, int resource, int copies) {
        this.function = function;
        this.from = from;
        this.bar = bar;
        this.register = register;
        this.resource = resource;
        this.copies = copies;
    }

    /** {@return the same BAR with another size, nowhere yet} */
    Claim resized(long bytes) {
        SizedBar now = new SizedBar(bar.index(), bytes, bar.wide(), bar.prefetchable());
        return new Claim(function, from, now, register, resource, copies);
    }

    Endpoint function() {
        return function;
    }

    Aperture from() {
        return from;
    }

    /** {@return of all copies; 0 or less: more than any address} */
    long bytes() {
        long one = bar.bytes();
        return one > 0 && one <= Long.MAX_VALUE / copies ? one * copies : 0;
    }

    long align() {
        return bar.bytes();
    }

    /** {@return number of the BAR, counted on for those of virtual functions} */
    int index() {
        return resource + bar.index();
    }

    /** {@return where it is; 0: nowhere} */
    long base() {
        return base;
    }

    /** Writes the registers, with decode off. 0: nowhere. */
    void place(long address) {
        base = address;
        int at = register + bar.index() * 4;
        function.writeConfig(at, 4, address);
        if (bar.wide()) {
            function.writeConfig(at + 4, 4, address >>> 32);
        }
        function.bars().place(index(), address);
    }

    @Override
    public int rank() {
        return function.key() << 4 | index();
    }

    /** As messages name it. */
    @Override
    public String toString() {
        String what =
                switch (resource) {
                    case 0 -> "BAR " + bar.index();
                    case EndpointBars.ROM_PLACE -> "ROM";
                    default -> "VF BAR " + bar.index();
                };
        return "%s: %s of 0x%x bytes".formatted(function, what, bar.bytes());
    }
}
