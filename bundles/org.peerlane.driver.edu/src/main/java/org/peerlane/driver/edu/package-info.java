/**
 * The driver of the edu device. {@link org.peerlane.driver.edu.EduDriver} takes functions over,
 * {@link org.peerlane.driver.edu.EduChannel} is one of them at work, {@link
 * org.peerlane.driver.edu.FileCopy} moves a file through it.
 */
@NullMarked
package org.peerlane.driver.edu;

import org.jspecify.annotations.NullMarked;
