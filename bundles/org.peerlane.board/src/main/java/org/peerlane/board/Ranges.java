package org.peerlane.board;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.Map;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;

/**
 * The ranges of a bundle's metatype, in words. The metatype service checks a value against its
 * range but cannot name it, so they are read from the bundle's own metatype files.
 */
final class Ranges {
    private static final Logger LOG = LogManager.getLogger(Ranges.class);

    private Ranges() {}

    /** {@return such as {@code from 12 to 64}, by key, of the object class with that id} */
    static Map<String, String> of(Bundle bundle, String objectClass) {
        Map<String, String> ranges = new HashMap<>();
        Enumeration<URL> files = bundle.findEntries("OSGI-INF/metatype", "*.xml", false);
        while (files != null && files.hasMoreElements()) {
            URL file = files.nextElement();
            try (InputStream in = file.openStream()) {
                read(in, objectClass, ranges);
            } catch (IOException | XMLStreamException e) {
                LOG.debug("{} cannot be read", file, e);
            }
        }
        return ranges;
    }

    static void read(InputStream in, String objectClass, Map<String, String> ranges)
            throws XMLStreamException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        XMLStreamReader xml = factory.createXMLStreamReader(in);
        boolean inside = false;
        while (xml.hasNext()) {
            if (xml.next() != XMLStreamReader.START_ELEMENT) {
                continue;
            }
            if (xml.getLocalName().equals("OCD")) {
                inside = objectClass.equals(xml.getAttributeValue(null, "id"));
            } else if (inside && xml.getLocalName().equals("AD")) {
                String range =
                        words(
                                xml.getAttributeValue(null, "min"),
                                xml.getAttributeValue(null, "max"));
                ranges.put(xml.getAttributeValue(null, "id"), range);
            }
        }
    }

    private static String words(@Nullable String min, @Nullable String max) {
        return (min == null ? "" : max == null ? " of at least " + min : " from " + min)
                + (max == null ? "" : min == null ? " of at most " + max : " to " + max);
    }
}
