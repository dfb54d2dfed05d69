//! A C caller of the engine, as small as possible.
#![allow(dead_code, reason = "each test file uses its own part")]

use atoll_engine::abi as engine_abi;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub type Function = unsafe extern "C" fn(i64, i64, *const u8, i64, *mut u8, i64) -> i64;

pub const EXITED: u32 = 1;
pub const TRAPPED: u32 = 2;
pub const OUT_OF_MEMORY: u32 = 3;
pub const SIGNALLED: u32 = 4;
pub const FAILED: u32 = 5;
pub const MODULE: u32 = 16;

/// Copies standard input to standard output until its end.
pub const ECHO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (block $end (loop $again
      (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
      (br_if $end (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $end (i32.eqz (i32.load (i32.const 8))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
      (br $again)))))"#;

/// The result of a call: the value with what was written, or the code with the message.
pub fn call(function: Function, a: i64, b: i64, input: &str) -> Result<(i64, Vec<u8>), (i64, String)> {
    let mut out = vec![0; 64 << 10];
    // SAFETY: both buffers are ours, of the lengths given, and live until the call returns.
    let value = unsafe { function(a, b, input.as_ptr(), input.len() as i64, out.as_mut_ptr(), out.len() as i64) };
    if value < 0 {
        let end = out.iter().position(|byte| *byte == 0).expect("an error text ends with NUL");
        return Err((value, String::from_utf8(out[..end].to_vec()).expect("error text is UTF-8")));
    }
    Ok((value, out))
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: i64,
    pub kind: u32,
    pub code: i32,
    /// created, started, entered, ended, cpu, peak
    pub numbers: [u64; 6],
}

pub struct Engine {
    pub id: i64,
    pub directory: TempDir,
    pub seen: std::cell::RefCell<Vec<Event>>,
}

impl Engine {
    pub fn new() -> Self {
        Self::with(&json!({"maxGuests": 64}))
    }

    pub fn with(request: &Value) -> Self {
        let (id, _) = call(engine_abi::atoll_engine_new, 0, 0, &request.to_string()).expect("engine");
        Self { id, directory: TempDir::new().expect("directory"), seen: std::cell::RefCell::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    pub fn poll(&self, milliseconds: i64) -> Vec<Event> {
        let (count, records) = call(engine_abi::atoll_poll, self.id, milliseconds, "").expect("poll");
        let number = |at: usize| u64::from_le_bytes(records[at..at + 8].try_into().expect("8 bytes"));
        (0..count as usize)
            .map(|index| index * 64)
            .map(|at| Event {
                id: number(at) as i64,
                kind: (number(at + 8) & 0xffff_ffff) as u32,
                code: (number(at + 8) >> 32) as u32 as i32,
                numbers: std::array::from_fn(|index| number(at + 16 + index * 8)),
            })
            .collect()
    }

    /// Waits for the event of `id`; others are kept.
    pub fn event(&self, id: i64) -> Event {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let found = self.seen.borrow().iter().position(|event| event.id == id);
            if let Some(index) = found {
                return self.seen.borrow_mut().remove(index);
            }
            assert!(Instant::now() < deadline, "no event of {id}");
            let events = self.poll(1000);
            self.seen.borrow_mut().extend(events);
        }
    }

    /// Loads a program and gives its id, or the error of its event.
    pub fn load(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<i64, String> {
        let source = self.path(name);
        std::fs::write(&source, bytes).expect("source");
        let output = self.path(&format!("{name}.cwasm"));
        drop(std::fs::remove_file(&output));
        let request = json!({"name": name, "source": source, "output": output});
        let (id, _) =
            call(engine_abi::atoll_module_load, self.id, 0, &request.to_string()).map_err(|(_, text)| text)?;
        let event = self.event(id);
        assert_eq!(event.kind, MODULE);
        let info = self.info(id);
        if event.code == 0 {
            assert_eq!(info["state"], "ready");
            return Ok(id);
        }
        assert_eq!(info["code"], event.code);
        Err(info["error"].as_str().expect("an error").to_owned())
    }

    pub fn info(&self, module: i64) -> Value {
        let (length, text) = call(engine_abi::atoll_module_info, module, 0, "").expect("info");
        serde_json::from_slice(&text[..length as usize]).expect("JSON")
    }

    pub fn describe(&self) -> Value {
        let (length, text) = call(engine_abi::atoll_engine_describe, self.id, 0, "").expect("describe");
        serde_json::from_slice(&text[..length as usize]).expect("JSON")
    }

    pub fn guest(&self, module: i64, request: &Value) -> Result<i64, String> {
        call(engine_abi::atoll_guest_new, self.id, module, &request.to_string())
            .map(|(id, _)| id)
            .map_err(|(_, text)| text)
    }

    /// A guest whose output goes to the files `out` and `err`, made empty.
    pub fn with_files(&self, module: i64, mut request: Value) -> Result<i64, String> {
        for (key, file) in [("stdout", "out"), ("stderr", "err")] {
            if request.get(key).is_none() {
                std::fs::write(self.path(file), "").expect("file");
                request[key] = json!(self.path(file));
            }
        }
        self.guest(module, &request)
    }

    /// Runs a guest with files as output to its end.
    pub fn run(&self, module: i64, request: Value) -> Event {
        let guest = self.with_files(module, request).expect("guest");
        start(guest);
        let event = self.event(guest);
        drop_guest(guest);
        event
    }

    pub fn view(&self, request: &Value) -> Result<i64, String> {
        call(engine_abi::atoll_view_new, self.id, 0, &request.to_string()).map(|(id, _)| id).map_err(|(_, text)| text)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(call(engine_abi::atoll_engine_close, self.id, 0, ""));
    }
}

pub fn start(guest: i64) {
    call(engine_abi::atoll_guest_start, guest, 0, "").expect("start");
}

pub fn kill(guest: i64, signal: i64) {
    call(engine_abi::atoll_guest_kill, guest, signal, "").expect("kill");
}

pub fn drop_guest(guest: i64) {
    call(engine_abi::atoll_guest_drop, guest, 0, "").expect("drop");
}

/// `atoll_guest_stat`'s numbers.
pub fn stat(guest: i64) -> [u64; 22] {
    let (length, bytes) = call(engine_abi::atoll_guest_stat, guest, 0, "").expect("stat");
    assert_eq!(length, 176);
    std::array::from_fn(|index| u64::from_ne_bytes(bytes[index * 8..][..8].try_into().expect("8 bytes")))
}

pub fn guest_text(guest: i64) -> String {
    let (length, text) = call(engine_abi::atoll_guest_text, guest, 0, "").expect("text");
    String::from_utf8(text[..length as usize].to_vec()).expect("UTF-8")
}

pub fn fifo(path: &Path) {
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).expect("path");
    // SAFETY: mkfifo reads a C string that lives until it returns.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

pub fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).expect("directory").count()
}
