package org.peerlane.shell.pci;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** The options of {@code lspci}, which may stand together: {@code -vvnn}, {@code -tv}. */
final class LspciOptions {
    private static final String KNOWN = "-v -vv -n -nn -x -xxx -xxxx -t -D -k";

    private final FunctionFilter filter = new FunctionFilter();
    private int verbose;
    private int numeric;
    private int hex;
    private boolean tree;
    private boolean domains;
    private boolean kernel;

    private LspciOptions() {}

    /**
     * Reads them.
     *
     * @throws ErrnoException {@code EINVAL} there is no such option
     */
    static LspciOptions of(String... arguments) {
        LspciOptions options = new LspciOptions();
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            if (argument.length() < 2 || argument.charAt(0) != '-') {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "lspci takes no '%s'; expected options, as -s %s"
                                .formatted(argument, argument));
            }
            for (int at = 1; at < argument.length(); at++) {
                char letter = argument.charAt(at);
                if (letter != 's' && letter != 'd') {
                    options.take(letter, argument);
                    continue;
                }
                String rest = argument.substring(at + 1);
                if (rest.isEmpty()) {
                    i++;
                    if (i == arguments.length) {
                        throw new ErrnoException(
                                Errno.EINVAL, "lspci: nothing follows -%s".formatted(letter));
                    }
                    rest = arguments[i];
                }
                options.filter.take(letter, rest);
                break;
            }
        }
        return options;
    }

    private void take(char letter, String argument) {
        switch (letter) {
            case 'v' -> verbose++;
            case 'n' -> numeric++;
            case 'x' -> hex++;
            case 't' -> tree = true;
            case 'D' -> domains = true;
            case 'k' -> kernel = true;
            default ->
                    throw new ErrnoException(
                            Errno.EINVAL,
                            "lspci has no option -%s%s; expected %s -s SLOT -d ID"
                                    .formatted(
                                            letter,
                                            argument.length() == 2 ? "" : " (in " + argument + ")",
                                            KNOWN));
        }
    }

    FunctionFilter filter() {
        return filter;
    }

    /** {@return how often -v was given} */
    int verbose() {
        return verbose;
    }

    Style style() {
        return numeric == 0 ? Style.NAMES : numeric == 1 ? Style.NUMBERS : Style.BOTH;
    }

    boolean isTree() {
        return tree;
    }

    boolean showsDomains() {
        return domains;
    }

    boolean showsKernel() {
        return kernel || verbose > 0;
    }

    /** {@return how many bytes to dump} */
    int dumpBytes() {
        return switch (hex) {
            case 0 -> 0;
            case 1, 2 -> 64;
            case 3 -> 256;
            default -> ConfigView.BYTES;
        };
    }
}
