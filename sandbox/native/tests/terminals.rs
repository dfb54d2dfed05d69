//! Guests at a terminal: what is typed, shown and signalled.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use atoll_engine::abi;
use common::{ECHO, EXITED, Engine, SIGNALLED, call, drop_guest, fifo, kill, start};
use rustix::termios::{Winsize, tcgetwinsize};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(30);

/// Exits with a bit for each of its standard streams that is a character device, as isatty(3) wants it.
const TTY: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $bit (param $fd i32) (result i32)
    (drop (call $stat (local.get $fd) (i32.const 0)))
    (i32.shl (i32.eq (i32.load8_u (i32.const 0)) (i32.const 2)) (local.get $fd)))
  (func (export "_start")
    (call $exit (i32.or (call $bit (i32.const 0)) (i32.or (call $bit (i32.const 1)) (call $bit (i32.const 2)))))))"#;

/// Writes 4096 bytes over and over.
const FLOOD: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (memory.fill (i32.const 4096) (i32.const 120) (i32.const 4096))
    (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
    (loop $again (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $again))))"#;

/// Writes 4 MiB and ends.
const LONG: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $left i32)
    (memory.fill (i32.const 4096) (i32.const 120) (i32.const 4096))
    (local.set $left (i32.const 1024))
    (loop $again
      (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"#;

const SPIN: &str = r#"(module (func (export "_start") (loop $again (br $again))))"#;

/// Terminals are counted by their descriptors, which all tests of this process share.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client at a terminal.
struct Client {
    engine: Engine,
    typed: File,
    shown: File,
}

impl Client {
    fn new() -> Self {
        let engine = Engine::new();
        let open = |name: &str| {
            fifo(&engine.path(name));
            OpenOptions::new().read(true).write(true).open(engine.path(name)).unwrap()
        };
        let (typed, shown) = (open("in"), open("out"));
        Self { engine, typed, shown }
    }

    fn request(&self) -> Value {
        json!({
            "stdin": self.engine.path("in"),
            "stdout": self.engine.path("out"),
            "terminal": {"columns": 123, "rows": 45},
        })
    }

    fn start(&self, text: &str) -> i64 {
        let module = self.engine.load("guest.wat", text).unwrap();
        let guest = self.engine.guest(module, &self.request()).unwrap();
        start(guest);
        guest
    }

    fn types(&mut self, text: &[u8]) {
        self.typed.write_all(text).unwrap();
    }

    fn sees(&mut self, text: &str) {
        let mut bytes = vec![0; text.len()];
        self.shown.read_exact(&mut bytes).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), text);
    }
}

/// The sizes of all terminals that this process has open, once for each descriptor.
fn sizes() -> Vec<(u16, u16)> {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        let target = std::fs::read_link(&path).ok()?;
        let is_terminal = target.starts_with("/dev/pts") || target.ends_with("ptmx");
        is_terminal.then(|| path.file_name()?.to_str()?.parse::<i32>().ok()).flatten()
    });
    links
        .filter_map(|fd| {
            // SAFETY: the number was just listed as open; nothing else of this process closes terminals while `alone`.
            let Winsize { ws_col, ws_row, .. } = tcgetwinsize(unsafe { BorrowedFd::borrow_raw(fd) }).ok()?;
            Some((ws_col, ws_row))
        })
        .collect()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn lines_are_echoed_edited_and_ended_by_control_d() {
    let _alone = alone();
    let mut client = Client::new();
    let guest = client.start(ECHO);
    client.types(b"helo\x7flo\r");
    client.sees("helo\x08 \x08lo\r\nhello\r\n");
    client.types(b"\x04");
    let event = client.engine.event(guest);
    assert_eq!((event.kind, event.code), (EXITED, 0));
    drop_guest(guest);
    until("no terminal is left", || !sizes().contains(&(123, 45)));
}

#[test]
fn all_three_streams_are_the_terminal_and_without_one_none_is() {
    let _alone = alone();
    let client = Client::new();
    let guest = client.start(TTY);
    assert_eq!(client.engine.event(guest).code, 0b111);
    let module = client.engine.load("tty.wat", TTY).unwrap();
    let mut request = client.request();
    request.as_object_mut().unwrap().remove("terminal");
    assert_eq!(client.engine.run(module, request).code, 0);
}

#[test]
fn control_c_and_control_backslash_are_signals_unless_typed_literally() {
    let _alone = alone();
    for (key, signal) in [(b"\x03", 2), (b"\x1c", 3)] {
        let mut client = Client::new();
        let guest = client.start(SPIN);
        client.types(b"\x16");
        client.types(key);
        assert!(client.engine.poll(50).is_empty(), "after Ctrl-V it is a character");
        client.types(key);
        let event = client.engine.event(guest);
        assert_eq!((event.kind, event.code), (SIGNALLED, signal));
    }
}

#[test]
fn all_that_was_written_is_shown_before_the_end_is_told() {
    let _alone = alone();
    let client = Client::new();
    let mut shown = client.shown.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; 4 << 20];
        shown.read_exact(&mut bytes).unwrap();
        bytes
    });
    let guest = client.start(LONG);
    assert_eq!(client.engine.event(guest).kind, EXITED);
    assert!(reader.join().unwrap().iter().all(|byte| *byte == b'x'));
}

#[test]
fn a_client_that_does_not_read_holds_up_the_guest_but_not_its_kill() {
    let _alone = alone();
    let client = Client::new();
    let guest = client.start(FLOOD);
    assert!(client.engine.poll(50).is_empty());
    let begin = Instant::now();
    kill(guest, 9);
    let event = client.engine.event(guest);
    assert_eq!((event.kind, event.code), (SIGNALLED, 9));
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    drop_guest(guest);
    until("no terminal is left", || !sizes().contains(&(123, 45)));
}

#[test]
fn the_size_is_the_first_one_until_it_is_changed() {
    let _alone = alone();
    let client = Client::new();
    let guest = client.start(SPIN);
    assert!(sizes().contains(&(123, 45)), "{:?}", sizes());
    call(abi::atoll_guest_resize, guest, 77 << 16 | 33, "").unwrap();
    assert!(sizes().contains(&(77, 33)) && !sizes().contains(&(123, 45)), "{:?}", sizes());
    let refused = |size| call(abi::atoll_guest_resize, guest, size, "").unwrap_err();
    assert!(refused(-1).1.contains("columns << 16 | rows"), "{}", refused(-1).1);
    kill(guest, 9);
    client.engine.event(guest);
    assert_eq!(refused(1).0, -3);
}

#[test]
fn what_has_no_terminal_has_no_size_and_a_terminal_has_no_stderr() {
    let engine = Engine::new();
    let module = engine.load("spin.wat", SPIN).unwrap();
    let guest = engine.guest(module, &json!({})).unwrap();
    assert!(call(abi::atoll_guest_resize, guest, 1, "").unwrap_err().1.contains("has no terminal"));
    let both = json!({"terminal": {}, "stderr": "/dev/null"});
    assert!(engine.guest(module, &both).unwrap_err().contains("leave stderr out"));
}
