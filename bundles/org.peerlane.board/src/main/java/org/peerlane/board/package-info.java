/**
 * Board files: one JSON file is one machine. {@link org.peerlane.board.BoardFile} reads it with the
 * place of every key, {@link org.peerlane.board.Checker} compares it with metatype, {@link
 * org.peerlane.board.Board} writes the configurations.
 */
@NullMarked
package org.peerlane.board;

import org.jspecify.annotations.NullMarked;
