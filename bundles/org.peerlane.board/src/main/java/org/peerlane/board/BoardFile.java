package org.peerlane.board;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.peerlane.board.Entry.Place;
import org.peerlane.board.Entry.Setting;

/**
 * Reads a board file. Comments in the manner of Java are allowed; a key that stands twice is not.
 */
final class BoardFile {
    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build();

    private final String file;
    private final JsonParser parser;

    private BoardFile(String file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    /** The file is no board: one sentence with its place. */
    static final class Unreadable extends Exception {
        @java.io.Serial private static final long serialVersionUID = 1;

        Unreadable(String sentence) {
            super(sentence);
        }
    }

    /**
     * Reads all entries.
     *
     * @throws Unreadable there is no such file, or it is not JSON, or not of a board's shape
     */
    static List<Entry> read(Path path) throws Unreadable {
        String name = path.toString();
        String text;
        try {
            text = Files.readString(path);
        } catch (NoSuchFileException e) {
            throw new Unreadable(name + ": there is no such board file");
        } catch (IOException e) {
            throw new Unreadable(name + ": cannot be read: " + e.getMessage());
        }
        try (JsonParser parser = JSON.createParser(text)) {
            return new BoardFile(name, parser).entries();
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new Unreadable(
                    "%s:%d:%d: %s"
                            .formatted(
                                    name,
                                    at.getLineNr(),
                                    at.getColumnNr(),
                                    e.getOriginalMessage()));
        } catch (IOException e) {
            throw new Unreadable(name + ": cannot be read: " + e.getMessage());
        }
    }

    private Place place() {
        JsonLocation at = parser.currentTokenLocation();
        return new Place(file, at.getLineNr(), at.getColumnNr());
    }

    private Unreadable expected(String what) throws IOException {
        JsonToken token = parser.currentToken();
        String found = token == null ? "the end of the file" : "'" + parser.getText() + "'";
        return new Unreadable("%s: expected %s, found %s".formatted(place(), what, found));
    }

    private List<Entry> entries() throws IOException, Unreadable {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw expected("an object of configurations");
        }
        List<Entry> entries = new ArrayList<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            Place place = place();
            parser.nextToken();
            if (key.startsWith(":configurator:")) {
                parser.skipChildren();
                continue;
            }
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw expected("an object with the settings of " + key);
            }
            int tilde = key.indexOf('~');
            String pid = tilde < 0 ? key : key.substring(0, tilde);
            String name = tilde < 0 ? null : key.substring(tilde + 1);
            entries.add(new Entry(pid, name, place, settings()));
        }
        if (parser.nextToken() != null) {
            throw expected("nothing after the last brace");
        }
        return entries;
    }

    private List<Setting> settings() throws IOException, Unreadable {
        List<Setting> settings = new ArrayList<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            Place place = place();
            parser.nextToken();
            settings.add(new Setting(key, value(key), place));
        }
        return settings;
    }

    private Object value(String key) throws IOException, Unreadable {
        return switch (parser.currentToken()) {
            case VALUE_STRING -> parser.getText();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case START_ARRAY -> {
                List<Object> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(key));
                }
                yield items;
            }
            default ->
                    throw expected(
                            "a string, a number, true, false or a list as the value of " + key);
        };
    }
}
