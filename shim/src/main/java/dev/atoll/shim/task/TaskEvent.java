package dev.atoll.shim.task;

import com.google.protobuf.Message;

/// An event for containerd's subscribers.
///
/// @param topic `/tasks/...`
/// @param message one of `containerd.events`
public record TaskEvent(String topic, Message message) {}
