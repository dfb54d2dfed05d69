package dev.atoll.deploy.cli;

import java.io.PrintStream;

/// Where a command writes to.
///
/// @param out results
/// @param err what went wrong
record Console(PrintStream out, PrintStream err) {}
