package org.peerlane.dmabuf.core;

/** Who calls, for reports of calls that do not say on whose behalf. Slow. */
final class Callers {
    private static final String OWN = Callers.class.getPackageName();

    private Callers() {}

    /** {@return the package of the nearest code outside of the core} */
    static String outside() {
        return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames ->
                        frames.map(frame -> frame.getDeclaringClass())
                                .filter(type ->
                                        !type.getPackageName().startsWith(OWN)
                                                && type.getClassLoader() != null)
                                .map(Class::getPackageName)
                                .findFirst()
                                .orElse("unknown"));
    }
}
