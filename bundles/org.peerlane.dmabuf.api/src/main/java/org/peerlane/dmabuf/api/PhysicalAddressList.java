package org.peerlane.dmabuf.api;

/** Fits whenever both sides offer it (IC-5). */
final class PhysicalAddressList implements MappingType {
    @Override
    public String name() {
        return "PAL";
    }

    @Override
    public Verdict match(MatchEntry exporter, MatchEntry importer) {
        return Verdict.fits(false, "physical ranges");
    }

    @Override
    public String toString() {
        return name();
    }
}
