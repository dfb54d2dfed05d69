/// The command `atoll`. Nobody calls into this package but the JVM, through [Main].
/// Single-threaded: everything runs on the main thread.
///
/// Results go to standard output, one sentence about a failure to standard error. Exit statuses: 0
/// done, 1 failed, 2 wrong usage.
@NullMarked
package dev.atoll.deploy.cli;

import org.jspecify.annotations.NullMarked;
