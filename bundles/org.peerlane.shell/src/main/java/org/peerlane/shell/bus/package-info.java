/**
 * What can be done to devices: {@code bus:eject}, {@code bus:pull}, {@code bus:plug}, {@code
 * bus:reset}, and {@code p2p:why}. {@link org.peerlane.shell.bus.FunctionName} finds the function
 * that somebody means.
 */
@NullMarked
package org.peerlane.shell.bus;

import org.jspecify.annotations.NullMarked;
