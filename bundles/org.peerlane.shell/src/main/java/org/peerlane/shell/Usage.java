package org.peerlane.shell;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.felix.gogo.runtime.Reflective;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/**
 * How a command is called, told from the methods behind it: {@code iommu:walk REQUESTER IOVA
 * [PASID]}. Words are the names of the parameters; a session is not among them. A command that has
 * a name of the Java language's, such as {@code import}, is the method {@code _import}, as in Gogo.
 */
final class Usage {
    private Usage() {}

    /**
     * {@return how it is called}
     *
     * @param name the whole name, with its scope
     * @param target what has the methods
     * @param function their name
     */
    static String of(String name, Class<?> target, String function) {
        String method = Reflective.KEYWORDS.contains(function) ? "_" + function : function;
        List<List<String>> forms =
                Arrays.stream(target.getMethods())
                        .filter(m -> m.getName().equalsIgnoreCase(method) && !m.isBridge())
                        .map(Usage::words)
                        .distinct()
                        .sorted(Comparator.comparingInt(List::size))
                        .toList();
        return each(forms).stream()
                .map(words -> (name + " " + String.join(" ", words)).strip())
                .collect(Collectors.joining(" or "));
    }

    private static List<String> words(Method method) {
        return Arrays.stream(method.getParameters())
                .filter(p -> p.getType() != CommandSession.class)
                .map(Usage::word)
                .toList();
    }

    private static String word(Parameter parameter) {
        String word = parameter.getName().toUpperCase(Locale.ROOT);
        return parameter.getType().isArray() ? "[" + word + "...]" : word;
    }

    /** Forms that only add to a shorter one become one form. */
    private static List<List<String>> each(List<List<String>> forms) {
        for (int i = 0; i + 1 < forms.size(); i++) {
            List<String> shorter = forms.get(i);
            List<String> longer = forms.get(i + 1);
            if (!longer.subList(0, shorter.size()).equals(shorter)) {
                return forms;
            }
        }
        if (forms.size() < 2) {
            return forms;
        }
        List<String> all = new ArrayList<>(forms.getFirst());
        for (int i = 1; i < forms.size(); i++) {
            List<String> more = forms.get(i).subList(forms.get(i - 1).size(), forms.get(i).size());
            all.add("[" + String.join(" ", more));
        }
        String last = all.removeLast();
        all.add(last + "]".repeat(forms.size() - 1));
        return List.of(all);
    }

    /** {@return arguments as a sentence names them} */
    static String given(List<? extends @Nullable Object> arguments) {
        return arguments.isEmpty()
                ? "nothing"
                : arguments.stream()
                        .map(a -> a == null ? "null" : "'" + a + "'")
                        .collect(Collectors.joining(" "));
    }
}
