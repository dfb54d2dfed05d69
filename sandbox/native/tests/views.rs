//! Views: what is mounted where, what stays out of reach, and that nothing is left. Needs root.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use atoll_engine::abi;
use common::{EXITED, Engine, call, start};
use serde_json::{Value, json};
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

fn read(view: i64, path: &str) -> Result<String, (i64, String)> {
    let (fd, _) = call(abi::atoll_view_open, view, 0, path)?;
    // SAFETY: the call gave us this descriptor to own.
    let mut file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).unwrap()) });
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

fn directory(path: &Path) -> String {
    std::fs::create_dir_all(path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn bind(destination: &str, source: &Path, readonly: bool) -> Value {
    json!({"destination": destination, "source": source, "type": "bind", "readonly": readonly, "recursive": true})
}

fn drop_view(view: i64) {
    call(abi::atoll_view_drop, view, 0, "").unwrap();
}

/// Held by tests that mount something in the process's own namespace, or look whether that has happened.
static MOUNTING: Mutex<()> = Mutex::new(());

fn mounts() -> usize {
    std::fs::read_to_string("/proc/thread-self/mountinfo").unwrap().lines().count()
}

/// A guest that opens `path` (relative to /) with path_open and exits with the error number.
fn opener(path: &str, write: bool) -> String {
    let (flags, rights) = if write { (1, 64) } else { (0, 2) };
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (data (i32.const 64) "{path}")
  (func (export "_start")
    (call $exit (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const {}) (i32.const {flags})
      (i64.const {rights}) (i64.const 0) (i32.const 0) (i32.const 0)))))"#,
        path.len()
    )
}

#[test]
fn volumes_appear_as_directories_and_files_and_configmaps_work() {
    let engine = Engine::new();
    let root = directory(&engine.path("root"));
    let volume = engine.path("config");
    directory(&volume.join("..2026"));
    std::fs::write(volume.join("..2026/key"), "value").unwrap();
    symlink("..2026", volume.join("..data")).unwrap();
    symlink("..data/key", volume.join("key")).unwrap();
    std::fs::write(engine.path("single"), "one file").unwrap();
    let _quiet = MOUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = mounts();
    let view = engine
        .view(&json!({"rootfs": [], "rootDirectory": root, "readonly": true, "mounts": [
            bind("/etc/config", &volume, true), bind("/etc/hosts", &engine.path("single"), true),
            bind("/dev/termination-log", &engine.path("single"), false),
            {"destination": "/tmp", "type": "tmpfs", "options": ["size=64k"]}]}))
        .unwrap();
    assert_eq!(read(view, "/etc/config/key").unwrap(), "value");
    assert_eq!(read(view, "etc/hosts").unwrap(), "one file");
    assert_eq!(read(view, "/etc/none").unwrap_err().0, -2);
    assert!(read(view, "/dev/zero").unwrap_err().1.contains("not a regular file"));
    for (path, write, error) in [
        ("etc/config/key", false, 0),
        ("etc/config/new", true, 69),
        ("new", true, 69),
        ("tmp/new", true, 0),
        ("dev/null", false, 0),
        ("dev/termination-log", true, 0),
        ("proc", false, 44),
    ] {
        let module = engine.load("open.wat", opener(path, write)).unwrap();
        let event = engine.run(module, json!({"view": view}));
        assert_eq!((event.kind, event.code), (EXITED, error), "{path}");
    }
    assert_eq!(mounts(), before, "nothing is mounted outside the view");
    drop_view(view);
}

/// A file system that is mounted while this lives.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: &Path) -> Self {
        directory(path);
        assert!(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(path).status().unwrap().success());
        Self(path.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        assert!(Command::new("umount").arg(&self.0).status().unwrap().success());
    }
}

#[test]
fn what_is_mounted_below_a_read_only_volume_is_writable_unless_that_is_read_only_too() {
    let engine = Engine::new();
    let root = directory(&engine.path("root"));
    let volume = engine.path("volume");
    let _mounting = MOUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let _below = Mounted::at(&volume.join("below"));
    for (options, below) in [(json!([]), 0), (json!(["rro"]), 69)] {
        let mut mount = bind("/data", &volume, true);
        mount["options"] = options;
        let view = engine.view(&json!({"rootfs": [], "rootDirectory": root, "mounts": [mount]})).unwrap();
        for (path, error) in [("data/new", 69), ("data/below/new", below)] {
            let module = engine.load("open.wat", opener(path, true)).unwrap();
            let event = engine.run(module, json!({"view": view}));
            assert_eq!((event.kind, event.code), (EXITED, error), "{path}");
        }
        drop_view(view);
    }
}

#[test]
fn links_and_dots_never_reach_the_host() {
    let engine = Engine::new();
    let root = engine.path("root");
    directory(&root.join("sub"));
    std::fs::write(engine.path("secret"), "secret").unwrap();
    let secret = engine.path("secret");
    symlink(&secret, root.join("absolute")).unwrap();
    symlink("../secret", root.join("dots")).unwrap();
    symlink("../../../../../../..", root.join("up")).unwrap();
    symlink("/proc/self/root", root.join("proc")).unwrap();
    symlink("/proc/1/cwd", root.join("cwd")).unwrap();
    symlink(engine.path(""), root.join("outside")).unwrap();
    let view = engine.view(&json!({"rootfs": [], "rootDirectory": root, "mounts": []})).unwrap();
    let inside = secret.to_str().unwrap();
    for path in
        ["absolute", "dots", "up/etc/passwd", "proc/etc/passwd", "cwd/etc/passwd", "outside/secret", "../secret"]
    {
        assert!(read(view, path).is_err(), "{path}");
        let module = engine.load("open.wat", opener(path, false)).unwrap();
        let event = engine.run(module, json!({"view": view}));
        assert!(event.kind == EXITED && event.code != 0, "{path}: {event:?}");
    }
    assert!(read(view, inside).is_err());
    drop_view(view);
    // Mount points through such links are made inside the root or refused, never on the host.
    let count = || std::fs::read_dir(engine.path("")).unwrap().count();
    let before = count();
    for link in ["/outside/made", "/up/made", "/dots/made", "/absolute"] {
        let source = engine.path("secret");
        let made = engine.view(&json!({"rootfs": [], "rootDirectory": root, "mounts": [bind(link, &source, true)]}));
        if let Ok(view) = made {
            drop_view(view);
        }
        assert_eq!(count(), before, "{link}");
        assert!(!Path::new("/made").exists());
    }
}

#[test]
fn an_overlay_is_assembled_both_ways_and_stays_off_the_host() {
    let engine = Engine::new();
    let _quiet = MOUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = mounts();
    for (index, upper) in ["plain", r"with\:colon"].into_iter().enumerate() {
        let name = |part: &str| engine.path(&format!("{index}{part}"));
        let real = engine.path(&format!("{index}{}", upper.replace('\\', "")));
        directory(&real);
        for part in ["low", "high", "work"] {
            directory(&name(part));
        }
        std::fs::write(name("low").join("file"), "lower").unwrap();
        std::fs::write(real.join("second"), "second").unwrap();
        let lower = format!("lowerdir={}:{}", engine.path(&format!("{index}{upper}")).display(), name("low").display());
        let options =
            [lower, format!("upperdir={}", name("high").display()), format!("workdir={}", name("work").display())];
        let rootfs = json!([{"type": "overlay", "source": "overlay", "options": options}]);
        let view = engine.view(&json!({"rootfs": rootfs, "mounts": []})).unwrap();
        assert_eq!((read(view, "/file").unwrap(), read(view, "/second").unwrap()), ("lower".into(), "second".into()));
        let module = engine.load("open.wat", opener("made", true)).unwrap();
        assert_eq!(engine.run(module, json!({"view": view})).code, 0);
        drop_view(view);
        assert!(name("high").join("made").exists());
    }
    assert_eq!(mounts(), before);
}

#[test]
fn a_view_lives_as_long_as_its_last_guest_and_then_lets_go_of_its_root() {
    let engine = Engine::new();
    let root = directory(&engine.path("root"));
    let volume = directory(&engine.path("volume"));
    let view = engine
        .view(&json!({"rootfs": [], "rootDirectory": root, "mounts": [bind("/data", Path::new(&volume), false)]}))
        .unwrap();
    let module = engine.load("open.wat", opener("data/new", true)).unwrap();
    let guest = engine.with_files(module, json!({"view": view})).unwrap();
    drop_view(view);
    assert_eq!(call(abi::atoll_view_drop, view, 0, "").unwrap_err().0, -2);
    start(guest);
    assert_eq!((engine.event(guest).code, engine.path("volume/new").exists()), (0, true));
    common::drop_guest(guest);
    let descriptors = || {
        let links =
            std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with(&*root)).count()
    };
    assert_eq!(descriptors(), 0);
}

#[test]
fn the_working_directory_is_made_and_given() {
    let engine = Engine::new();
    let root = directory(&engine.path("root"));
    let view = engine.view(&json!({"rootfs": [], "rootDirectory": root, "mounts": []})).unwrap();
    let module = engine.load("open.wat", opener("here", true)).unwrap();
    assert_eq!(engine.run(module, json!({"view": view, "cwd": "/srv/app"})).code, 0);
    assert!(engine.path("root/srv/app/here").exists());
    assert!(engine.guest(module, &json!({"view": view, "cwd": "srv"})).unwrap_err().contains("not absolute"));
    drop_view(view);
}

#[test]
fn what_cannot_be_mounted_is_refused_in_words() {
    let engine = Engine::new();
    let root = directory(&engine.path("root"));
    let refused =
        |mount: Value| engine.view(&json!({"rootfs": [], "rootDirectory": root, "mounts": [mount]})).unwrap_err();
    assert!(refused(json!({"destination": "/x", "type": "proc"})).contains("\"proc\""));
    assert!(refused(json!({"destination": "/x", "type": "bind", "source": "/nowhere"})).contains("/nowhere"));
    assert!(refused(json!({"destination": "x", "type": "tmpfs"})).contains("absolute"));
    assert!(
        refused(json!({"destination": "/x", "type": "bind", "source": "/tmp", "options": ["rshared"]}))
            .contains("rshared")
    );
    assert!(engine.view(&json!({"rootfs": [], "mounts": []})).unwrap_err().contains("rootDirectory"));
}
