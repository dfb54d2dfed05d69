//! Guests from text: exit statuses, traps, limits, kills, streams.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use atoll_engine::abi;
use common::{
    ECHO, EXITED, Engine, OUT_OF_MEMORY, SIGNALLED, TRAPPED, call, drop_guest, fifo, guest_text, kill, start,
};
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// Writes 4096 bytes `count` times.
fn writer(count: u32) -> String {
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $i i32)
    (memory.fill (i32.const 4096) (i32.const 120) (i32.const 4096))
    (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
    (loop $again
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))))"#
    )
}

const SPIN: &str = r#"(module (func (export "_start") (loop $again (br $again))))"#;

const SLEEP: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

#[test]
fn hello_writes_and_exits_with_0() {
    let engine = Engine::new();
    let module = engine.load("hello.wat", HELLO).unwrap();
    let event = engine.run(module, json!({"args": ["hello"]}));
    assert_eq!((event.kind, event.code), (EXITED, 0));
    assert_eq!(engine.text("out"), "hello\n");
    let [created, started, entered, ended, cpu, peak] = event.numbers;
    assert!(created <= started && started <= entered && entered <= ended && cpu > 0, "{event:?}");
    // One page, the instance itself, and what was not written yet.
    assert!((65536 + 48 * 1024..65536 + 48 * 1024 + 64).contains(&peak), "{event:?}");
    assert_eq!(engine.describe()["live"], 0);
}

#[test]
fn compiled_code_is_private_and_can_be_mapped_again() {
    use std::os::unix::fs::PermissionsExt;
    let engine = Engine::new();
    engine.load("hello.wat", HELLO).unwrap();
    let code = engine.path("hello.wat.cwasm");
    assert_eq!(std::fs::metadata(&code).unwrap().permissions().mode() & 0o777, 0o600);
    let request = json!({"name": "hello", "precompiled": code});
    let (module, _) = call(abi::atoll_module_load, engine.id, 0, &request.to_string()).unwrap();
    assert_eq!(engine.event(module).code, 0);
    std::fs::remove_file(&code).unwrap();
    assert_eq!(engine.run(module, json!({})).kind, EXITED);
    assert!(engine.load("native.wasm", b"\x7fELF\x02\x01").unwrap_err().contains("ELF"));
}

#[test]
fn exit_statuses_are_those_of_a_process() {
    let engine = Engine::new();
    for (given, seen) in [(0, 0), (7, 7), (126, 126), (255, 255), (256, 0), (-1, 255)] {
        let text = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
               (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {given}))))"#
        );
        let module = engine.load("exit.wat", text).unwrap();
        let event = engine.run(module, json!({}));
        assert_eq!((event.kind, event.code), (EXITED, seen), "proc_exit({given})");
    }
}

#[test]
fn a_trap_ends_with_its_backtrace_on_stderr() {
    let engine = Engine::new();
    let text = r#"(module $m (func $inner unreachable) (func $outer (call $inner)) (export "_start" (func $outer)))"#;
    let module = engine.load("trap.wat", text).unwrap();
    let guest = engine.with_files(module, json!({})).unwrap();
    start(guest);
    assert_eq!(engine.event(guest).kind, TRAPPED);
    let text = engine.text("err");
    assert!(
        text.starts_with("atoll: the guest trapped: wasm trap: wasm `unreachable` instruction executed\n"),
        "{text}"
    );
    assert!(text.contains("m!inner") && text.contains("m!outer") && text.ends_with('\n'), "{text}");
    assert_eq!(format!("{}\n", guest_text(guest)), text);
    drop_guest(guest);
}

#[test]
fn endless_recursion_is_a_trap() {
    let engine = Engine::new();
    let module = engine.load("deep.wat", r#"(module (func $f (export "_start") (call $f)))"#).unwrap();
    assert_eq!(engine.run(module, json!({})).kind, TRAPPED);
    assert!(engine.text("err").contains("call stack exhausted"));
    assert!(engine.text("err").lines().count() < 100);
}

#[test]
fn crossing_the_memory_limit_ends_the_guest() {
    let engine = Engine::new();
    let text =
        r#"(module (memory 1) (func (export "_start") (loop $again (drop (memory.grow (i32.const 16))) (br $again))))"#;
    let module = engine.load("hog.wat", text).unwrap();
    let event = engine.run(module, json!({"memoryLimit": 32 << 20}));
    assert_eq!(event.kind, OUT_OF_MEMORY);
    assert!(event.numbers[5] > 30 << 20 && event.numbers[5] <= 32 << 20, "{event:?}");
    let tables =
        r#"(module (table 1 funcref) (func (export "_start") (drop (table.grow (ref.null func) (i32.const 90000)))))"#;
    let module = engine.load("tables.wat", tables).unwrap();
    assert_eq!(engine.run(module, json!({"memoryLimit": 65536})).kind, OUT_OF_MEMORY);
    let large = engine.load("large.wat", r#"(module (memory 100) (func (export "_start")))"#).unwrap();
    assert_eq!(engine.run(large, json!({"memoryLimit": 65536})).kind, OUT_OF_MEMORY);
}

#[test]
fn kill_ends_a_loop_a_sleep_and_a_full_pipe_at_once() {
    let engine = Engine::new();
    fifo(&engine.path("pipe"));
    let programs = [("spin.wat", SPIN.to_owned()), ("sleep.wat", SLEEP.to_owned()), ("writer.wat", writer(1000))];
    for (name, text) in programs {
        let module = engine.load(name, text).unwrap();
        let guest = engine.with_files(module, json!({"stdout": engine.path("pipe")})).unwrap();
        start(guest);
        assert!(engine.poll(30).is_empty(), "{name} does not end by itself");
        let begin = Instant::now();
        kill(guest, 9);
        let event = engine.event(guest);
        assert_eq!((event.kind, event.code), (SIGNALLED, 9), "{name}");
        assert!(begin.elapsed() < Duration::from_millis(500), "{name}: {:?}", begin.elapsed());
        assert_eq!(call(abi::atoll_guest_kill, guest, 9, "").unwrap_err().0, -3);
        drop_guest(guest);
        assert_eq!(call(abi::atoll_guest_kill, guest, 9, "").unwrap_err().0, -2);
    }
    assert_eq!(engine.describe()["live"], 0);
}

#[test]
fn a_guest_that_never_started_can_be_killed_or_dropped() {
    let engine = Engine::new();
    let module = engine.load("spin.wat", SPIN).unwrap();
    let guest = engine.guest(module, &json!({})).unwrap();
    kill(guest, 15);
    assert_eq!((engine.event(guest).kind, engine.describe()["live"].as_u64()), (SIGNALLED, Some(0)));
    assert_eq!(call(abi::atoll_guest_start, guest, 0, "").unwrap_err().0, -3);
    drop_guest(guest);
    let guest = engine.guest(module, &json!({})).unwrap();
    drop_guest(guest);
    assert_eq!(engine.describe()["live"], 0);
}

#[test]
fn ten_megabytes_arrive_whole_before_the_end_is_told() {
    let engine = Engine::new();
    fifo(&engine.path("pipe"));
    let module = engine.load("writer.wat", writer(2560)).unwrap();
    let guest = engine.with_files(module, json!({"stdout": engine.path("pipe")})).unwrap();
    let path = engine.path("pipe");
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    });
    start(guest);
    assert_eq!(engine.event(guest).kind, EXITED);
    let bytes = reader.join().unwrap();
    assert!(bytes.len() == 2560 * 4096 && bytes.iter().all(|byte| *byte == b'x'), "{}", bytes.len());
    // To a regular file the same.
    assert_eq!(engine.run(module, json!({})).kind, EXITED);
    assert_eq!(engine.text("out").len(), 2560 * 4096);
    // To nowhere, and to a device.
    assert_eq!(engine.run(module, json!({"stdout": "/dev/null", "stdin": "/dev/null"})).kind, EXITED);
}

#[test]
fn stdin_ends_when_it_is_closed_and_not_before() {
    let engine = Engine::new();
    fifo(&engine.path("in"));
    let module = engine.load("echo.wat", ECHO).unwrap();
    let guest = engine.with_files(module, json!({"stdin": engine.path("in")})).unwrap();
    start(guest);
    let mut input = std::fs::OpenOptions::new().write(true).open(engine.path("in")).unwrap();
    input.write_all(b"first ").unwrap();
    drop(input);
    assert!(engine.poll(50).is_empty(), "the keeper holds stdin open");
    std::fs::OpenOptions::new().write(true).open(engine.path("in")).unwrap().write_all(b"second").unwrap();
    call(abi::atoll_guest_close_stdin, guest, 0, "").unwrap();
    assert_eq!(engine.event(guest).kind, EXITED);
    assert_eq!(engine.text("out"), "first second");
    std::fs::write(engine.path("file"), "x".repeat(200_000)).unwrap();
    assert_eq!(engine.run(module, json!({"stdin": engine.path("file")})).kind, EXITED);
    assert_eq!(engine.text("out").len(), 200_000);
    assert_eq!(engine.run(module, json!({})).kind, EXITED);
}

#[test]
fn exported_functions_take_numbers() {
    let engine = Engine::new();
    let text = r#"(module (func (export "add") (param i32 i64 f32 f64) (result i32)
        (if (i32.ne (local.get 0) (i32.const -2)) (then unreachable)) (i32.const 9)) (func (export "nop")))"#;
    let module = engine.load("add.wat", text).unwrap();
    let event = engine.run(module, json!({"args": ["add.wat", "-2", "0xff", "1.5", "2"], "export": "add"}));
    assert_eq!((event.kind, event.code), (EXITED, 0));
    let refused = |request| engine.guest(module, &request).unwrap_err();
    assert!(
        refused(json!({"args": ["a", "1"], "export": "add"})).contains("takes 4 parameter(s) (i32, i64, f32, f64)")
    );
    assert!(refused(json!({"args": ["a", "x", "1", "1", "1"], "export": "add"})).contains("do not fit"));
    let text = refused(json!({"args": ["a"], "export": "ad"}));
    assert!(text.contains("does not export ad (the nearest: add); it exports add, nop"), "{text}");
    assert!(refused(json!({})).contains("does not export _start"));
}

#[test]
fn bad_programs_are_named() {
    let engine = Engine::new();
    let refused = |name: &str, bytes: &[u8]| engine.load(name, bytes).unwrap_err();
    assert!(refused("empty.wasm", b"").contains("empty file"));
    assert!(refused("gzip.wasm", b"\x1f\x8b\x08").contains("gzip data"));
    assert!(refused("noise.wasm", b"\x01\x02\x03").contains("01 02 03"));
    assert!(refused("cut.wasm", b"\0asm\x01\0\0\0\x01\x10\x01").contains("cut off"));
    assert!(refused("bad.wasm", b"\0asm\x01\0\0\0\x7f\x01\x01").contains("offset"));
    assert!(refused("text.wat", b"(module (func (export \"_start\") (bogus)))").contains("bogus"));
    let text = refused("import.wat", br#"(module (import "wasi_snapshot_preview1" "fd_wrte" (func)))"#);
    assert!(
        text.contains("wasi_snapshot_preview1.fd_wrte") && text.contains("wasi_snapshot_preview1.fd_write"),
        "{text}"
    );
    let text = refused("store.wat", br#"(component (import "wasi:keyvalue/store@0.2.0" (instance)))"#);
    assert!(text.contains("wasi:keyvalue/store@0.2.0"), "{text}");
    let text = refused("gc.wat", br#"(module (type (struct (field i32))) (func (export "_start")))"#);
    assert!(text.contains("does not offer") || text.contains("gc"), "{text}");
}

#[test]
fn a_component_runs_as_command_and_by_function() {
    let engine = Engine::new();
    let component = |result: u32| {
        format!(
            r#"(component
  (core module $m (func (export "run") (result i32) (i32.const {result})))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.3" (instance $e))
  (export "plain" (func $run)))"#
        )
    };
    let module = engine.load("ok.wat", component(0)).unwrap();
    assert_eq!(engine.info(module)["kind"], "component");
    assert_eq!((engine.run(module, json!({})).code, engine.run(module, json!({"export": "plain"})).code), (0, 0));
    let failing = engine.load("fails.wat", component(1)).unwrap();
    assert_eq!((engine.run(failing, json!({})).kind, engine.run(failing, json!({})).code), (EXITED, 1));
    assert!(engine.guest(module, &json!({"export": "plan"})).unwrap_err().contains("(the nearest: plain)"));
}

#[test]
fn a_thousand_guests_leave_no_stream_open() {
    let engine = Engine::new();
    for name in ["o", "e"] {
        fifo(&engine.path(name));
    }
    let module = engine.load("hello.wat", HELLO).unwrap();
    let run = |times: usize| {
        for _ in 0..times {
            let request = json!({"stdout": engine.path("o"), "stderr": engine.path("e"), "stdin": "/dev/null"});
            let guest = engine.guest(module, &request).unwrap();
            start(guest);
            assert_eq!(engine.event(guest).kind, EXITED);
            drop_guest(guest);
        }
    };
    let mine = || {
        let own = engine.directory.path().to_str().unwrap();
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter(|link| std::fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|path| path.starts_with(own)))
            .count()
    };
    // The compiled code stays open.
    let before = mine();
    run(1000);
    // The last guest's task may still be on its way out.
    let deadline = Instant::now() + Duration::from_secs(10);
    while mine() > before {
        assert!(Instant::now() < deadline, "{} descriptors are left", mine());
        std::thread::yield_now();
    }
}

/// What a reader of the FIFO gets that opens it now.
fn read_late(engine: &Engine, name: &str) -> String {
    let (path, (tell, told)) = (engine.path(name), std::sync::mpsc::channel());
    std::thread::spawn(move || tell.send(std::fs::read_to_string(path).unwrap()));
    told.recv_timeout(Duration::from_secs(20)).expect("the end of the stream is seen")
}

#[test]
fn the_end_of_a_guest_that_wrote_nothing_is_seen_by_a_reader_that_comes_after_it() {
    let engine = Engine::new();
    let (hello, spin) = (engine.load("hello.wat", HELLO).unwrap(), engine.load("spin.wat", SPIN).unwrap());
    for name in ["o", "e"] {
        fifo(&engine.path(name));
    }
    let streams = json!({"stdout": engine.path("o"), "stderr": engine.path("e")});
    let guest = engine.guest(hello, &streams).unwrap();
    start(guest);
    assert_eq!(engine.event(guest).kind, EXITED);
    assert_eq!([read_late(&engine, "e"), read_late(&engine, "o")], ["", "hello\n"]);
    drop_guest(guest);

    let guest = engine.guest(spin, &streams).unwrap();
    kill(guest, 9);
    assert_eq!(engine.event(guest).kind, SIGNALLED);
    assert_eq!([read_late(&engine, "e"), read_late(&engine, "o")], ["", ""], "it never ran");
    drop_guest(guest);
}
