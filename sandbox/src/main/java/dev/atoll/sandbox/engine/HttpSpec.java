package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.http.HttpSettings;

/// How a program that serves HTTP is served.
///
/// @param address `HOST:PORT`; without a host, all addresses
public record HttpSpec(String address, HttpSettings settings) {}
