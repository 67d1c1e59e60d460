package org.peerlane.shell.pci;

/** A text that grows line by line. */
final class Lines {
    private final StringBuilder text = new StringBuilder();

    /** Goes on with the line. */
    Lines add(String part) {
        text.append(part);
        return this;
    }

    /** Goes on with the line and ends it. */
    Lines line(String rest) {
        text.append(rest).append('\n');
        return this;
    }

    /** {@return all of it, without the end of the last line} */
    @Override
    public String toString() {
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == '\n') {
            end--;
        }
        return text.substring(0, end);
    }
}
