//! Files of guests through the C ABI: as which user, within which bounds, and never outside. Needs root; the guest is `guest`
//! of the project's test guests.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use common::{EXITED, Engine, Event, SIGNALLED, drop_guest, fifo, kill, start};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// WASI's error numbers.
const ACCESS: i32 = 2;
const FIFO_WAIT: Duration = Duration::from_secs(20);

struct World {
    engine: Engine,
    root: PathBuf,
}

/// One engine with the root directory that its guests see.
impl World {
    fn new() -> Self {
        let engine = Engine::with(&json!({"maxGuests": 128}));
        std::fs::set_permissions(engine.path(""), mode(0o755)).expect("a directory that everyone may enter");
        let root = engine.path("root");
        std::fs::create_dir(&root).expect("a root");
        Self { engine, root }
    }

    fn program(&self, kind: &str) -> i64 {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/guests/guest.{kind}.wasm"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}; run e2e/guests/build"));
        self.engine.load(&format!("guest.{kind}.wasm"), bytes).expect("the guest")
    }

    fn directory(&self, path: &str, permissions: u32, owner: (u32, u32)) -> PathBuf {
        let made = self.root.join(path);
        std::fs::create_dir_all(&made).expect("a directory");
        own(&made, permissions, owner);
        made
    }

    fn file(&self, path: &str, permissions: u32, owner: (u32, u32)) -> PathBuf {
        let made = self.root.join(path);
        std::fs::write(&made, path).expect("a file");
        own(&made, permissions, owner);
        made
    }

    fn view(&self, mounts: Value) -> i64 {
        self.engine.view(&json!({"rootDirectory": self.root, "mounts": mounts})).expect("a view")
    }

    /// Runs the guest to its end and gives what it wrote.
    fn run(&self, module: i64, view: i64, words: &[&str], more: Value) -> String {
        let event = self.engine.run(module, request(view, words, more));
        let text = format!("{}{}", self.engine.text("out"), self.engine.text("err"));
        assert_eq!((event.kind, event.code), (EXITED, 0), "{words:?}: {text}");
        text
    }

    /// What each operation of `guest try` said.
    fn attempt(&self, module: i64, view: i64, operations: &[&str], more: Value) -> BTreeMap<String, String> {
        let words: Vec<&str> = ["try"].into_iter().chain(operations.iter().copied()).collect();
        let text = self.run(module, view, &words, more);
        let told: BTreeMap<_, _> = text
            .lines()
            .map(|line| line.split_once(": ").expect("a line of guest try"))
            .map(|(operation, outcome)| (operation.to_owned(), outcome.to_owned()))
            .collect();
        assert_eq!(told.len(), operations.len(), "{text}");
        told
    }
}

fn request(view: i64, words: &[&str], more: Value) -> Value {
    let args: Vec<&str> = ["guest"].into_iter().chain(words.iter().copied()).collect();
    let mut request = json!({"view": view, "args": args});
    for (key, value) in more.as_object().expect("an object") {
        request[key] = value.clone();
    }
    request
}

fn mode(permissions: u32) -> std::fs::Permissions {
    std::fs::Permissions::from_mode(permissions)
}

fn own(path: &Path, permissions: u32, (uid, gid): (u32, u32)) {
    chown(path, Some(uid), Some(gid)).expect("chown");
    std::fs::set_permissions(path, mode(permissions)).expect("chmod");
}

/// Owner, group and mode of a file.
fn of(path: &Path) -> (u32, u32, u32) {
    let found = std::fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    (found.uid(), found.gid(), found.mode() & 0o7777)
}

fn error(number: i32) -> String {
    format!("error {number}")
}

fn bind(destination: &str, source: &Path, readonly: bool) -> Value {
    json!({"destination": destination, "source": source, "type": "bind", "readonly": readonly, "recursive": true})
}

const KINDS: [&str; 2] = ["p1", "p2"];

#[test]
fn files_are_opened_and_made_as_the_guests_user() {
    for kind in KINDS {
        let world = World::new();
        world.directory("open", 0o777, (0, 0));
        world.directory("closed", 0o700, (0, 0));
        world.directory("shared", 0o2770, (0, 2000));
        world.file("secret", 0o600, (0, 0));
        world.file("mine", 0o600, (1000, 1000));
        world.file("theirs", 0o640, (1, 2000));
        world.file("closed/file", 0o666, (1000, 1000));
        let user = json!({"user": {"uid": 1000, "gid": 1001, "groups": [2000], "umask": 0o027}});
        let (module, view) = (world.program(kind), world.view(json!([])));
        let told = world.attempt(
            module,
            view,
            &[
                "create,/open/file",
                "mkdir,/open/directory",
                "symlink,file,/open/link",
                "create,/shared/file",
                "mkdir,/shared/directory",
                "create,/refused",
                "mkdir,/refused",
                "read,/secret",
                "append,/secret",
                "read,/mine",
                "read,/theirs",
                "append,/theirs",
                "read,/closed/file",
                "count,/closed",
                "rename,/mine,/open/mine",
                "unlink,/secret",
                "touch,/theirs",
                "link,/secret,/open/secret",
            ],
            user,
        );
        for operation in [
            "create,/open/file",
            "mkdir,/open/directory",
            "symlink,file,/open/link",
            "create,/shared/file",
            "mkdir,/shared/directory",
        ] {
            assert_eq!(told[operation], "ok", "{kind} {operation}");
        }
        assert_eq!((told["read,/mine"].as_str(), told["read,/theirs"].as_str()), ("mine", "theirs"));
        for operation in [
            "create,/refused",
            "mkdir,/refused",
            "read,/secret",
            "append,/secret",
            "append,/theirs",
            "read,/closed/file",
            "count,/closed",
            "rename,/mine,/open/mine",
            "unlink,/secret",
        ] {
            assert_eq!(told[operation], error(ACCESS), "{kind} {operation}");
        }
        // Another's file: set to a time by its owner only, and linked only by who may write it (fs.protected_hardlinks).
        for operation in ["touch,/theirs", "link,/secret,/open/secret"] {
            assert!(told[operation].starts_with("error"), "{kind} {operation}: {}", told[operation]);
        }
        assert_eq!(of(&world.root.join("open/file")), (1000, 1001, 0o640));
        assert_eq!(of(&world.root.join("open/directory")), (1000, 1001, 0o750));
        assert_eq!((of(&world.root.join("open/link")).0, of(&world.root.join("open/link")).1), (1000, 1001));
        assert_eq!(of(&world.root.join("shared/file")), (1000, 2000, 0o640));
        assert_eq!(of(&world.root.join("shared/directory")), (1000, 2000, 0o2750));
    }
}

#[test]
fn root_has_the_capabilities_that_it_is_given_and_no_others() {
    for kind in KINDS {
        let world = World::new();
        world.file("theirs", 0o600, (1000, 1000));
        world.directory("sticky", 0o1777, (1, 1));
        world.file("sticky/theirs", 0o644, (1000, 1000));
        let (module, view) = (world.program(kind), world.view(json!([])));
        let operations = ["read,/theirs", "append,/theirs", "create,/made", "unlink,/sticky/theirs"];
        let without = world.attempt(module, view, &operations, json!({"user": {"uid": 0, "gid": 0}}));
        assert_eq!(without["read,/theirs"], error(ACCESS));
        assert_eq!(without["append,/theirs"], error(ACCESS));
        assert_eq!(without["create,/made"], "ok");
        assert_eq!(without["unlink,/sticky/theirs"], error(63));
        let capabilities = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_NET_RAW"];
        let with = world.attempt(
            module,
            view,
            &["read,/theirs", "append,/theirs", "unlink,/sticky/theirs"],
            json!({"user": {"uid": 0, "gid": 0, "capabilities": capabilities}}),
        );
        assert!(with.values().all(|outcome| !outcome.starts_with("error")), "{with:?}");
        // A file's capabilities go to whoever has them, root or not.
        let other = json!({"user": {"uid": 7, "gid": 7, "capabilities": ["CAP_DAC_READ_SEARCH"]}});
        let told = world.attempt(module, view, &["read,/theirs", "append,/theirs"], other);
        assert!(told["read,/theirs"].starts_with("theirs"), "{told:?}");
        assert_eq!(told["append,/theirs"], error(ACCESS));
    }
}

#[test]
fn guests_of_many_users_work_at_the_same_time_and_the_daemon_stays_root() {
    let world = World::new();
    world.directory("open", 0o777, (0, 0));
    let (module, view) = (world.program("p1"), world.view(json!([])));
    let users = 1000..1040;
    let guests: Vec<i64> = users
        .clone()
        .map(|uid| {
            let words: Vec<String> = (0..20).map(|number| format!("create,/open/{uid}.{number}")).collect();
            let words: Vec<&str> = ["try"].into_iter().chain(words.iter().map(String::as_str)).collect();
            let more = json!({"user": {"uid": uid, "gid": uid + 1000}});
            world.engine.guest(module, &request(view, &words, more)).expect("a guest")
        })
        .collect();
    guests.iter().for_each(|guest| start(*guest));
    for guest in guests {
        assert_eq!(world.engine.event(guest).code, 0);
        drop_guest(guest);
    }
    for uid in users {
        for number in 0..20 {
            assert_eq!(of(&world.root.join(format!("open/{uid}.{number}"))), (uid, uid + 1000, 0o644));
        }
    }
    for task in std::fs::read_dir("/proc/self/task").expect("tasks") {
        let task = task.expect("a task").path();
        // Threads end on their own, also meanwhile.
        let Ok(status) = std::fs::read_to_string(task.join("status")) else { continue };
        let line = |name: &str| status.lines().find(|line| line.starts_with(name)).expect("a line").to_owned();
        let ids: Vec<String> = line("Uid:").split_whitespace().skip(1).map(str::to_owned).collect();
        assert_eq!(ids[..3], ["0", "0", "0"], "{status}");
        if !line("Name:").contains("atoll-files") {
            assert_eq!(ids[3], "0", "{status}");
        }
    }
}

#[test]
fn a_user_that_cannot_be_is_refused_in_words() {
    let world = World::new();
    let (module, view) = (world.program("p1"), world.view(json!([])));
    let refused = |user: Value| {
        let request = json!({"view": view, "args": ["guest"], "user": user});
        world.engine.guest(module, &request).expect_err("a refusal")
    };
    assert!(refused(json!({"uid": 4_294_967_295_u32, "gid": 0})).contains("4294967295 is no user"));
    assert!(refused(json!({"uid": 1, "gid": 1, "umask": 0o1000})).contains("umask 1000"));
    assert!(refused(json!({"uid": 1, "gid": 1, "capabilities": ["FOWNER"]})).contains("\"FOWNER\" is no capability"));
    assert!(refused(json!({"uid": -1, "gid": 0})).contains("guest request is not acceptable"));
}

#[test]
fn every_kind_of_change_of_a_read_only_file_system_is_refused_as_such() {
    for kind in KINDS {
        let world = World::new();
        for name in ["etc", "data", "volume"] {
            world.directory(name, 0o777, (0, 0));
        }
        world.directory("volume/directory", 0o777, (0, 0));
        for name in ["etc/file", "etc/other", "volume/file", "volume/other", "single"] {
            world.file(name, 0o666, (0, 0));
        }
        let volume = world.engine.path("elsewhere");
        std::fs::rename(world.root.join("volume"), &volume).expect("moved");
        let single = world.engine.path("single");
        std::fs::rename(world.root.join("single"), &single).expect("moved");
        let module = world.program(kind);
        let view = world
            .engine
            .view(&json!({"rootDirectory": world.root, "readonly": true, "mounts": [
                bind("/data", &volume, true),
                bind("/etc/single", &single, true),
                {"destination": "/tmp", "type": "tmpfs"},
            ]}))
            .expect("a view");
        let read_only = [
            "create,/etc/new",
            "append,/etc/file",
            "truncate,/etc/file",
            "shorten,/etc/file",
            "touch,/etc/file",
            "mkdir,/etc/new",
            "rename,/etc/file,/etc/new",
            "rename,/etc/file,/etc/other",
            "link,/etc/file,/etc/new",
            "symlink,file,/etc/new",
            "unlink,/etc/file",
            "create,/data/new",
            "append,/data/file",
            "truncate,/data/file",
            "touch,/data/file",
            "mkdir,/data/new",
            "rmdir,/data/directory",
            "rename,/data/file,/data/other",
            "rename,/data/directory,/data/new",
            "link,/data/file,/data/new",
            "symlink,file,/data/new",
            "unlink,/data/file",
            "append,/etc/single",
            "truncate,/etc/single",
            "touch,/etc/single",
        ];
        let across = [
            "rename,/etc/file,/data/new",
            "rename,/data/file,/etc/new",
            "link,/data/file,/etc/new",
            "rename,/data/file,/tmp/new",
            "link,/data/file,/tmp/new",
            "rename,/tmp/file,/data/new",
            "link,/tmp/file,/etc/new",
        ];
        let operations: Vec<&str> = ["create,/tmp/file"].into_iter().chain(read_only).chain(across).collect();
        let told = world.attempt(module, view, &operations, json!({}));
        assert_eq!(told["create,/tmp/file"], "ok");
        for operation in read_only {
            assert_eq!(told[operation], error(69), "{kind} {operation}");
        }
        for operation in across {
            assert_eq!(told[operation], error(75), "{kind} {operation}");
        }
        assert_eq!(std::fs::read_dir(&volume).expect("volume").count(), 3);
        assert_eq!(std::fs::read_to_string(&single).expect("single"), "single");
    }
}

#[test]
fn a_guest_has_so_many_files_open_and_closing_gives_back() {
    // WASI 0.2 has no code for too many files: its libc tells "out of memory".
    for (kind, full) in [("p1", 33), ("p2", 48)] {
        let world = World::new();
        world.file("file", 0o644, (0, 0));
        let (module, view) = (world.program(kind), world.view(json!([])));
        let limited = json!({"maxOpenFiles": 10});
        assert_eq!(
            world.run(module, view, &["open-many", "/file", "100"], limited.clone()),
            format!("10 open, then error {full}\nopen again\n")
        );
        // Directories count too, and what was closed does not.
        let operations: Vec<String> = (0..50).map(|_| "count,/".to_owned()).chain(["read,/file".to_owned()]).collect();
        let words: Vec<&str> = ["try"].into_iter().chain(operations.iter().map(String::as_str)).collect();
        let text = world.run(module, view, &words, limited);
        assert!(!text.contains("error") && text.lines().count() == 51, "{text}");
        assert_eq!(world.run(module, view, &["open-many", "/file", "2000"], json!({})), "2000 open\nopen again\n");
    }
}

#[test]
fn operations_that_hang_hold_up_their_own_guest_only_and_end_with_it() {
    for kind in KINDS {
        let world = World::new();
        world.directory("pipes", 0o777, (0, 0));
        fifo(&world.root.join("pipes/fifo"));
        std::fs::set_permissions(world.root.join("pipes/fifo"), mode(0o666)).expect("chmod");
        world.file("file", 0o644, (0, 0));
        let (module, view) = (world.program(kind), world.view(json!([])));
        // More than the engine's threads of any kind but the guests' own.
        let stuck: Vec<i64> = (0..60)
            .map(|_| {
                let guest = request(view, &["try", "read,/pipes/fifo"], json!({"user": {"uid": 9, "gid": 9}}));
                let guest = world.engine.guest(module, &guest).expect("a guest");
                start(guest);
                guest
            })
            .collect();
        wait_until("all are stuck", || threads("atoll-files") >= stuck.len());
        let before = Instant::now();
        assert_eq!(world.attempt(module, view, &["read,/file"], json!({}))["read,/file"], "file");
        for guest in &stuck {
            kill(*guest, 9);
        }
        for guest in stuck {
            let event: Event = world.engine.event(guest);
            assert_eq!((event.kind, event.code), (SIGNALLED, 9));
            drop_guest(guest);
        }
        assert!(before.elapsed() < FIFO_WAIT, "waited for the FIFO");
        // A writer lets the threads go on, and so end.
        let fifo = world.root.join("pipes/fifo");
        wait_until("the threads have ended", || {
            drop(rustix::fs::open(
                &fifo,
                rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK,
                rustix::fs::Mode::empty(),
            ));
            threads("atoll-files") == 0
        });
    }
}

fn threads(name: &str) -> usize {
    let names = std::fs::read_dir("/proc/self/task").expect("tasks");
    names
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|found| found.trim() == name)
        .count()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn nothing_is_made_changed_or_read_outside_through_links_and_dots() {
    for kind in KINDS {
        let world = World::new();
        let outside = world.engine.path("outside");
        std::fs::create_dir(&outside).expect("outside");
        std::fs::set_permissions(&outside, mode(0o777)).expect("chmod");
        std::fs::write(outside.join("secret"), "of the node").expect("a secret");
        world.directory("sub", 0o777, (0, 0));
        symlink(&outside, world.root.join("absolute")).expect("a link");
        symlink("../outside", world.root.join("dots")).expect("a link");
        symlink("/proc/self/root", world.root.join("proc")).expect("a link");
        symlink("/dev/mem", world.root.join("memory")).expect("a link");
        let (module, view) = (world.program(kind), world.view(json!([])));
        let mut operations = vec!["read,/proc/self/environ".to_owned(), "read,/dev/mem".into(), "read,/memory".into()];
        let host = outside.to_str().expect("a path").to_owned();
        for way in ["/absolute", "/dots", "/../outside", "/sub/../../outside", "/made", &format!("/proc{host}"), &host]
        {
            operations.extend([
                format!("read,{way}/secret"),
                format!("append,{way}/secret"),
                format!("truncate,{way}/secret"),
                format!("create,{way}/made"),
                format!("mkdir,{way}/made"),
                format!("unlink,{way}/secret"),
                format!("count,{way}"),
                format!("rename,{way}/secret,/sub/secret"),
                format!("link,{way}/secret,/sub/linked"),
                format!("link,/sub,{way}/linked"),
                format!("symlink,x,{way}/symlink"),
                format!("touch,{way}/secret"),
                format!("size,{way}/secret"),
            ]);
        }
        operations.insert(0, "symlink,../outside,/made".into());
        let operations: Vec<&str> = operations.iter().map(String::as_str).collect();
        let told = world.attempt(module, view, &operations, json!({}));
        for (operation, outcome) in told {
            if operation != "symlink,../outside,/made" {
                assert!(outcome.starts_with("error"), "{kind} {operation}: {outcome}");
            }
        }
        let left: Vec<_> =
            std::fs::read_dir(&outside).expect("outside").map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["secret"]);
        assert_eq!(std::fs::read_to_string(outside.join("secret")).expect("a secret"), "of the node");
    }
}

#[test]
fn a_link_swapped_in_between_check_and_use_leads_nowhere() {
    for kind in KINDS {
        let world = World::new();
        let volume = world.engine.path("volume");
        std::fs::create_dir(&volume).expect("a volume");
        let outside = world.engine.path("outside");
        std::fs::create_dir(&outside).expect("outside");
        std::fs::write(outside.join("file"), "of the node").expect("a secret");
        let mounts = json!([bind("/data", &volume, false)]);
        let module = world.program(kind);
        let (first, second) = (world.view(mounts.clone()), world.view(mounts));
        let swapping: Vec<i64> = ["../../../../outside", "../outside"]
            .iter()
            .enumerate()
            .map(|(index, target)| {
                let place = format!("/data/place{index}");
                let words = ["swap", &place, target, "file"];
                let guest = world.engine.guest(module, &request(first, &words, json!({}))).expect("a guest");
                start(guest);
                guest
            })
            .collect();
        for place in ["/data/place0/file", "/data/place1/file"] {
            let text = world.run(module, second, &["chase", place, "3000"], json!({}));
            assert!(text.contains(" other 0 "), "{kind} {place}: {text}");
        }
        for guest in swapping {
            kill(guest, 9);
            assert_eq!(world.engine.event(guest).kind, SIGNALLED, "it swapped until it was killed");
            drop_guest(guest);
        }
        assert_eq!(std::fs::read_to_string(outside.join("file")).expect("a secret"), "of the node");
    }
}

#[test]
fn full_deep_and_crowded_file_systems_are_told_to_the_guest() {
    // wasi-libc knows every error of a stream of WASI 0.2 as an I/O error.
    for (kind, full) in [("p1", 51), ("p2", 29)] {
        let world = World::new();
        std::fs::create_dir(world.root.join("crowd")).expect("a mount point");
        let memory = tempfile::TempDir::new_in("/dev/shm").expect("a directory in memory");
        let crowd = memory.path().join("crowd");
        std::fs::create_dir(&crowd).expect("a directory");
        let (module, view) = (
            world.program(kind),
            world.view(json!([
                {"destination": "/tmp", "type": "tmpfs", "options": ["size=1m", "nr_inodes=200"]},
                bind("/crowd", &crowd, false),
            ])),
        );
        assert_eq!(world.run(module, view, &["fill", "/tmp/file"], json!({})), format!("full: error {full}\n"));
        let text = world.run(module, view, &["deep", "/crowd"], json!({}));
        assert!(text.ends_with("error 37\n"), "a path that is too long: {text}");
        assert_eq!(world.attempt(module, view, &["count,/crowd"], json!({}))["count,/crowd"], "1");
        let failed = world.engine.run(module, request(view, &["many", "/tmp", "1000"], json!({})));
        assert_eq!((failed.kind, failed.code), (EXITED, 1), "{}", world.engine.text("err"));
        assert!(world.engine.text("err").contains("os error 51"), "{}", world.engine.text("err"));
        for number in 0..100_001 {
            std::fs::File::create(crowd.join(number.to_string())).expect("a file");
        }
        let told = world.attempt(module, view, &["count,/crowd", "count,/tmp", "size,/crowd/5"], json!({}));
        assert_eq!((told["count,/crowd"].as_str(), told["size,/crowd/5"].as_str()), ("error 48", "0"));
        assert!(!told["count,/tmp"].starts_with("error"), "{told:?}");
    }
}

/// `cargo test --release --test files -- --ignored --nocapture what_operations_cost`
#[test]
#[ignore = "a benchmark"]
fn what_operations_cost() {
    for kind in KINDS {
        let world = World::new();
        world.directory("open", 0o777, (0, 0));
        let (module, view) = (world.program(kind), world.view(json!([])));
        for (name, more) in [("root", json!({})), ("user", json!({"user": {"uid": 1000, "gid": 1000}}))] {
            let more = if std::env::var_os("ATOLL_WITHOUT_USERS").is_some() { json!({}) } else { more };
            let text = world.run(module, view, &["bench-files", "/open", "5000"], more);
            println!("{kind} {name}: {}", text.trim().replace('\n', ", "));
            std::fs::remove_file(world.root.join("open/bench")).expect("removed");
        }
    }
}
