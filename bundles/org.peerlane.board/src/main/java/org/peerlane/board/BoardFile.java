package org.peerlane.board;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonParser.NumberType;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.board.Entry.Place;
import org.peerlane.board.Entry.Setting;

/**
 * Reads a board file. Comments in the manner of Java are allowed. What is no JSON makes the whole
 * file unreadable; what is JSON of another shape costs the entry that it stands in.
 */
final class BoardFile {
    private static final JsonFactory JSON =
            JsonFactory.builder().enable(JsonReadFeature.ALLOW_JAVA_COMMENTS).build();

    private final String file;
    private final JsonParser parser;
    private final List<Entry> entries = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    private BoardFile(String file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    /** The file is no board: one sentence with its place. */
    static final class Unreadable extends Exception {
        @java.io.Serial private static final long serialVersionUID = 1;

        private final String sentence;

        Unreadable(String sentence) {
            super(sentence);
            this.sentence = sentence;
        }

        /** What is wrong with the file, as a user reads it. */
        String sentence() {
            return sentence;
        }
    }

    /**
     * What a file holds.
     *
     * @param entries those of the right shape, in the file's order
     * @param problems one line for each that is not
     */
    record Content(List<Entry> entries, List<String> problems) {}

    /**
     * Reads all entries.
     *
     * @throws Unreadable there is no such file, or it is not JSON, or not of a board's shape
     */
    static Content read(Path path) throws Unreadable {
        String name = path.toString();
        String text;
        try {
            text = Files.readString(path);
        } catch (NoSuchFileException e) {
            throw new Unreadable(name + ": there is no such board file");
        } catch (CharacterCodingException e) {
            throw new Unreadable(name + ": is no text in UTF-8");
        } catch (IOException e) {
            throw new Unreadable(name + ": cannot be read: " + e.getMessage());
        }
        try (JsonParser parser = JSON.createParser(text)) {
            var board = new BoardFile(name, parser);
            board.read();
            return new Content(board.entries, board.problems);
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

    private void read() throws IOException, Unreadable {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw expected("an object of configurations");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            Place place = place();
            parser.nextToken();
            if (key.startsWith(":configurator:")) {
                parser.skipChildren();
            } else if (parser.currentToken() != JsonToken.START_OBJECT) {
                problems.add("%s: %s: expected an object with its settings".formatted(place, key));
                parser.skipChildren();
            } else {
                readEntry(key, place);
            }
        }
        if (parser.nextToken() != null) {
            throw expected("nothing after the last brace");
        }
    }

    private void readEntry(String key, Place place) throws IOException {
        int before = problems.size();
        for (Entry other : entries) {
            if (other.id().equals(key)) {
                problems.add(
                        "%s: %s: stands here again; expected it once, at %s"
                                .formatted(place, key, other.place()));
            }
        }
        List<Setting> settings = settings(key);
        if (problems.size() == before) {
            int tilde = key.indexOf('~');
            String pid = tilde < 0 ? key : key.substring(0, tilde);
            String name = tilde < 0 ? null : key.substring(tilde + 1);
            entries.add(new Entry(pid, name, place, settings));
        }
    }

    private List<Setting> settings(String entry) throws IOException {
        List<Setting> settings = new ArrayList<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            Place place = place();
            parser.nextToken();
            Object value = value();
            if (value == null) {
                problems.add(
                        "%s: %s: '%s' has no value that fits a setting; expected a string, a"
                                        .formatted(place, entry, key)
                                + " number, true, false or a list of those");
                continue;
            }
            for (Setting other : settings) {
                if (other.key().equals(key)) {
                    problems.add(
                            "%s: %s: '%s' stands here again; expected it once, at %s"
                                    .formatted(place, entry, key, other.place()));
                }
            }
            settings.add(new Setting(key, value, place));
        }
        return settings;
    }

    /** Null: an object, a null, or a list with one of them. */
    private @Nullable Object value() throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_STRING -> parser.getText();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NUMBER_INT ->
                    parser.getNumberType() == NumberType.BIG_INTEGER
                            ? parser.getBigIntegerValue()
                            : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case START_ARRAY -> list();
            default -> {
                parser.skipChildren();
                yield null;
            }
        };
    }

    private @Nullable List<Object> list() throws IOException {
        List<Object> items = new ArrayList<>();
        boolean isGood = true;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            Object item = value();
            isGood &= item != null;
            if (item != null) {
                items.add(item);
            }
        }
        return isGood ? items : null;
    }
}
