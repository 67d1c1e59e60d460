package org.peerlane.tests.rules;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.AnnotationVisitor;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** What compiled classes say of rules, read from their byte code: nothing is loaded. */
final class CompiledTests {
    private static final String RULE = "Lorg/peerlane/testkit/Rule;";
    private static final String RULES = "Lorg/peerlane/testkit/Rules;";

    /** One {@code @Rule}: on which class or method, and its value. */
    record Naming(String test, String rule) {}

    /** A class, with the rules on it and on each of its methods. */
    private record TestClass(
            String name,
            List<String> above,
            Set<String> rules,
            Map<String, Set<String>> methods,
            FileTime compiled) {}

    private final Map<String, TestClass> classes = new TreeMap<>();

    void add(Path classFile) throws IOException {
        FileTime compiled = Files.getLastModifiedTime(classFile);
        Reader reader = new Reader(compiled);
        new ClassReader(Files.readAllBytes(classFile))
                .accept(
                        reader,
                        ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        TestClass read = reader.result();
        classes.put(read.name(), read);
    }

    /** {@return every rule named, in the order of the tests} */
    List<Naming> namings() {
        List<Naming> namings = new ArrayList<>();
        for (TestClass type : classes.values()) {
            type.rules().forEach(rule -> namings.add(new Naming(type.name(), rule)));
            type.methods()
                    .forEach((method, rules) ->
                            rules.forEach(rule ->
                                    namings.add(new Naming(type.name() + "#" + method, rule))));
        }
        return namings;
    }

    /**
     * Says whether a result still means something: the test is there, names the rule, and has not
     * been compiled since.
     *
     * @param test class and method
     */
    boolean stillAnswers(String test, String rule, FileTime written) {
        int hash = test.indexOf('#');
        TestClass type = hash < 0 ? null : classes.get(test.substring(0, hash));
        if (type == null || type.compiled().compareTo(written) > 0) {
            return false;
        }
        String method = test.substring(hash + 1);
        Set<String> ofMethod = method.equals("*") ? Set.of() : rulesOfMethod(type, method);
        return ofMethod != null && (ofMethod.contains(rule) || onClass(type, rule));
    }

    /** {@return the rules on a method of the class or one above it, null if there is none} */
    private @Nullable Set<String> rulesOfMethod(TestClass type, String method) {
        Set<String> own = type.methods().get(method);
        if (own != null) {
            return own;
        }
        for (String above : type.above()) {
            TestClass next = classes.get(above);
            Set<String> inherited = next == null ? null : rulesOfMethod(next, method);
            if (inherited != null) {
                return inherited;
            }
        }
        return null;
    }

    private boolean onClass(TestClass type, String rule) {
        if (type.rules().contains(rule)) {
            return true;
        }
        for (String above : type.above()) {
            TestClass next = classes.get(above);
            if (next != null && onClass(next, rule)) {
                return true;
            }
        }
        return false;
    }

    private static String dotted(String internalName) {
        return internalName.replace('/', '.');
    }

    private static final class Reader extends ClassVisitor {
        private final FileTime compiled;
        private String name = "";
        private final List<String> above = new ArrayList<>();
        private final Set<String> rules = new TreeSet<>();
        private final Map<String, Set<String>> methods = new TreeMap<>();

        Reader(FileTime compiled) {
            super(Opcodes.ASM9);
            this.compiled = compiled;
        }

        TestClass result() {
            return new TestClass(dotted(name), above, rules, methods, compiled);
        }

        @Override
        public void visit(
                int version,
                int access,
                String internalName,
                @Nullable String signature,
                @Nullable String superName,
                String @Nullable [] interfaces) {
            name = internalName;
            if (superName != null) {
                above.add(dotted(superName));
            }
            for (String contract : interfaces == null ? new String[0] : interfaces) {
                above.add(dotted(contract));
            }
        }

        @Override
        public void visitInnerClass(
                String inner, @Nullable String outer, @Nullable String simple, int access) {
            if (inner.equals(name) && outer != null) {
                above.add(dotted(outer));
            }
        }

        @Override
        public @Nullable AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
            return rulesIn(descriptor, rules);
        }

        @Override
        public MethodVisitor visitMethod(
                int access,
                String method,
                String descriptor,
                @Nullable String signature,
                String @Nullable [] exceptions) {
            Set<String> ofMethod = methods.computeIfAbsent(method, key -> new TreeSet<>());
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public @Nullable AnnotationVisitor visitAnnotation(
                        String annotation, boolean visible) {
                    return rulesIn(annotation, ofMethod);
                }
            };
        }
    }

    private static @Nullable AnnotationVisitor rulesIn(
            String descriptor, Collection<String> found) {
        return descriptor.equals(RULE) || descriptor.equals(RULES) ? new Values(found) : null;
    }

    /** Gathers the value of a {@code @Rule}, or of each one in a {@code @Rules}. */
    private static final class Values extends AnnotationVisitor {
        private final Collection<String> found;

        Values(Collection<String> found) {
            super(Opcodes.ASM9);
            this.found = found;
        }

        @Override
        public void visit(@Nullable String key, Object value) {
            found.add(value.toString());
        }

        @Override
        public AnnotationVisitor visitArray(String key) {
            return this;
        }

        @Override
        public AnnotationVisitor visitAnnotation(@Nullable String key, String descriptor) {
            return this;
        }
    }
}
