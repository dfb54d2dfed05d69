/// Log lines in logfmt on standard error, for SLF4J and for what logs through java.util.logging.
@NullMarked
package dev.atoll.shim.log;

import org.jspecify.annotations.NullMarked;
