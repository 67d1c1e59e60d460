package org.peerlane.kernel.api;

/** Numbers as people write them into commands: decimal, or hex after {@code 0x}. */
public final class Numbers {
    private Numbers() {}

    /**
     * {@return the number}
     *
     * @param what it is, for the sentence
     * @param text what somebody has written
     * @param most the largest one, unsigned
     * @throws ErrnoException {@code EINVAL} it is none, or too large
     */
    public static long parse(String what, String text, long most) {
        try {
            long number =
                    text.startsWith("0x")
                            ? Long.parseUnsignedLong(text.substring(2), 16)
                            : Long.parseUnsignedLong(text);
            if (Long.compareUnsigned(number, most) <= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new ErrnoException(Errno.EINVAL, sentence(what, text, most), e);
        }
        throw new ErrnoException(Errno.EINVAL, sentence(what, text, most));
    }

    private static String sentence(String what, String text, long most) {
        return "%s '%s'; expected a number from 0 to 0x%x".formatted(what, text, most);
    }
}
