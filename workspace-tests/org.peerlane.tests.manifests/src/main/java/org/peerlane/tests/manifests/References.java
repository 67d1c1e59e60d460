package org.peerlane.tests.manifests;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.objectweb.asm.ClassReader;

/**
 * Finds the packages of ours that byte code refers to, wherever it does: names of classes,
 * descriptors and generic signatures all lie in the constant pool.
 */
final class References {
    private static final int UTF8 = 1;
    private static final Pattern CLASS =
            Pattern.compile("(?<![\\w/])L?(org/peerlane/(?:[a-z][\\w]*/)*)[A-Z][\\w$]*");

    private References() {}

    static Set<String> packages(byte[] byteCode) {
        Set<String> packages = new TreeSet<>();
        ClassReader reader = new ClassReader(byteCode);
        for (int i = 1; i < reader.getItemCount(); i++) {
            int at = reader.getItem(i);
            if (at > 0 && reader.readByte(at - 1) == UTF8) {
                int bytes = reader.readUnsignedShort(at);
                String text = new String(byteCode, at + 2, bytes, StandardCharsets.UTF_8);
                Matcher type = CLASS.matcher(text);
                while (type.find()) {
                    String folder = type.group(1);
                    packages.add(folder.substring(0, folder.length() - 1).replace('/', '.'));
                }
            }
        }
        return packages;
    }
}
