package org.peerlane.kernel.api;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * A call failed as the kernel's call would: with an error number, and with a sentence that names
 * the values, which the kernel does not give.
 *
 * <p>The message is the error's name and the sentence, such as {@code EINVAL: size 0; expected
 * ...}.
 */
public class ErrnoException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    private final Errno errno;
    private final String sentence;

    /**
     * @param errno what the kernel answers
     * @param sentence one sentence that names the offending value and what was expected
     */
    public ErrnoException(Errno errno, String sentence) {
        this(errno, sentence, null);
    }

    /**
     * @param errno what the kernel answers
     * @param sentence one sentence that names the offending value and what was expected
     * @param cause what went wrong below, if anything
     */
    public ErrnoException(Errno errno, String sentence, @Nullable Throwable cause) {
        super(errno + ": " + sentence, cause);
        this.errno = errno;
        this.sentence = sentence;
    }

    /** {@return what the kernel answers} */
    public Errno errno() {
        return errno;
    }

    /** {@return what went wrong, without the error's name} */
    public String sentence() {
        return sentence;
    }
}
