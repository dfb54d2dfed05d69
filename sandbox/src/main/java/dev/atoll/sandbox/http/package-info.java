/// How a program that serves HTTP is served: its settings, and where they come from. Values only;
/// the server itself is the engine's.
@NullMarked
package dev.atoll.sandbox.http;

import org.jspecify.annotations.NullMarked;
