package org.peerlane.tests.manifests;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Finds the banned calls, method references and monitors in a class. */
final class CallScan extends ClassVisitor {
    private static final Pattern LAMBDA = Pattern.compile("lambda\\$(.+)\\$\\d+");

    /**
     * A breach.
     *
     * @param type the class, {@code org.peerlane...}
     * @param method the method of the source: a lambda's is the one around it
     * @param call what it calls, {@code java.lang.System.nanoTime}, or {@code synchronized}
     * @param what kind of breach it is
     */
    record Finding(String type, String method, String call, String what) {
        @Override
        public String toString() {
            return "%s.%s uses %s: %s".formatted(type, method, call, what);
        }
    }

    private final List<Finding> findings = new ArrayList<>();
    private String type = "";

    private CallScan() {
        super(Opcodes.ASM9);
    }

    static List<Finding> scan(byte[] byteCode) {
        CallScan scan = new CallScan();
        new ClassReader(byteCode).accept(scan, ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return List.copyOf(scan.findings);
    }

    @Override
    public void visit(
            int version,
            int access,
            String name,
            @Nullable String signature,
            @Nullable String superName,
            String @Nullable [] interfaces) {
        type = name.replace('/', '.');
    }

    @Override
    public MethodVisitor visitMethod(
            int access,
            String name,
            String descriptor,
            @Nullable String signature,
            String @Nullable [] exceptions) {
        Matcher lambda = LAMBDA.matcher(name);
        String method = lambda.matches() ? lambda.group(1) : name;
        if ((access & Opcodes.ACC_SYNCHRONIZED) != 0) {
            findings.add(new Finding(type, method, "synchronized", Ban.MONITOR));
        }
        return new Body(method);
    }

    private final class Body extends MethodVisitor {
        private final String method;

        Body(String method) {
            super(Opcodes.ASM9);
            this.method = method;
        }

        @Override
        public void visitInsn(int opcode) {
            if (opcode == Opcodes.MONITORENTER) {
                findings.add(new Finding(type, method, "synchronized", Ban.MONITOR));
            }
        }

        @Override
        public void visitMethodInsn(
                int opcode, String owner, String name, String descriptor, boolean isInterface) {
            check(owner, name, descriptor);
        }

        @Override
        public void visitInvokeDynamicInsn(
                String name, String descriptor, Handle bootstrap, Object... arguments) {
            for (Object argument : arguments) {
                constant(argument);
            }
        }

        @Override
        public void visitLdcInsn(Object value) {
            constant(value);
        }

        private void constant(Object value) {
            if (value instanceof Handle handle) {
                check(handle.getOwner(), handle.getName(), handle.getDesc());
            } else if (value instanceof ConstantDynamic dynamic) {
                for (int i = 0; i < dynamic.getBootstrapMethodArgumentCount(); i++) {
                    constant(dynamic.getBootstrapMethodArgument(i));
                }
            }
        }

        private void check(String owner, String name, String descriptor) {
            String what = Ban.breach(owner, name, descriptor);
            if (what != null) {
                String call = owner.replace('/', '.') + "." + name;
                findings.add(new Finding(type, method, call, what));
            }
        }
    }
}
