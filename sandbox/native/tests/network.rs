//! Names and sockets of guests through the C ABI; the guest is `guest` of the project's test guests.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use common::{EXITED, Engine};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

fn program(engine: &Engine) -> i64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/guest.p2.wasm");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}; run e2e/guests/build"));
    engine.load("guest.wasm", bytes).expect("the guest")
}

/// What `guest resolve NAME` says in a network, with /etc/hosts.
fn resolve(name: &str, network: Option<Value>) -> (u32, i32, String) {
    let engine = Engine::new();
    let root = TempDir::new().expect("a root");
    std::fs::create_dir(root.path().join("etc")).expect("etc");
    std::fs::write(root.path().join("etc/hosts"), "192.0.2.7 pod.test pod\n").expect("hosts");
    let view = engine.view(&json!({"rootDirectory": root.path()})).expect("a view");
    let mut request = json!({"view": view, "args": ["guest", "resolve", name]});
    if let Some(network) = network {
        request["network"] = network;
    }
    let event = engine.run(program(&engine), request);
    (event.kind, event.code, format!("{}{}", engine.text("out"), engine.text("err")))
}

fn fresh() -> Option<Value> {
    Some(json!({"fresh": true}))
}

#[test]
fn a_guest_resolves_names_by_its_own_files() {
    for (name, address) in [("pod", "192.0.2.7"), ("localhost", "127.0.0.1"), ("10.9.8.7", "10.9.8.7")] {
        let (kind, code, text) = resolve(name, fresh());
        assert_eq!((kind, code), (EXITED, 0), "{text}");
        assert!(text.contains(address), "{name}: {text}");
    }
}

#[test]
fn names_that_nobody_knows_and_guests_without_a_network_fail() {
    // Nobody answers on the loopback device of a fresh network.
    let (kind, code, text) = resolve("other.test", fresh());
    assert_eq!(kind, EXITED);
    assert_ne!(code, 0, "{text}");
    let (kind, code, text) = resolve("pod", None);
    assert_eq!(kind, EXITED);
    assert_ne!(code, 0, "{text}");
    assert!(text.to_lowercase().contains("denied"), "{text}");
}

#[test]
fn every_version_of_wasi_0_2_finds_the_whole_of_sockets_and_names() {
    let engine = Engine::new();
    for version in ["0.2.0", "0.2.3", "0.2.12", "0.2.99"] {
        let text = format!(
            r#"(component
                (import "wasi:sockets/tcp@{version}" (instance
                    (export "tcp-socket" (type $socket (sub resource)))
                    (export "[method]tcp-socket.is-listening" (func (param "self" (borrow $socket)) (result bool)))))
                (import "wasi:sockets/udp@{version}" (instance
                    (export "udp-socket" (type (sub resource)))
                    (export "outgoing-datagram-stream" (type (sub resource)))))
                (import "wasi:io/poll@{version}" (instance $poll (export "pollable" (type (sub resource)))))
                (alias export $poll "pollable" (type $pollable))
                (import "wasi:sockets/ip-name-lookup@{version}" (instance
                    (alias outer 1 $pollable (type $inner))
                    (export "pollable" (type $own (eq $inner)))
                    (export "resolve-address-stream" (type $stream (sub resource)))
                    (export "[method]resolve-address-stream.subscribe"
                        (func (param "self" (borrow $stream)) (result (own $own))))))
                (core module $program (func (export "run") (result i32) i32.const 0))
                (core instance $running (instantiate $program))
                (func $run (result (result)) (canon lift (core func $running "run")))
                (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
        );
        engine.load("versions.wat", text).unwrap_or_else(|error| panic!("{version}: {error}"));
    }
}
