//! Limits: one account for a container's guests, memory, quotas, weights, changes of a running guest.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use atoll_engine::abi;
use common::{EXITED, Engine, OUT_OF_MEMORY, SIGNALLED, call, drop_guest, guest_text, kill, start, stat};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SPIN: &str = r#"(module (func (export "_start") (loop $again (br $again))))"#;

/// Exported by number: `hold` grows by so many pages and sleeps.
const HOLD: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "hold") (param $pages i32)
    (drop (memory.grow (local.get $pages)))
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

const MIB: u64 = 1 << 20;
const EINVAL: i64 = -1;
const ESTATE: i64 = -3;
const EBUSY: i64 = -8;

// Places of `atoll_guest_stat`.
const CPU: usize = 0;
const MEMORY: usize = 1;
const PEAK: usize = 2;
const PERIODS: usize = 16;
const THROTTLED: usize = 17;
const THROTTLED_NS: usize = 18;
const LIMIT: usize = 19;
const BUFFERS: usize = 20;
const OOM_KILLS: usize = 21;

fn update(guest: i64, request: Value) -> Result<(), (i64, String)> {
    call(abi::atoll_guest_update, guest, 0, &request.to_string()).map(drop)
}

/// What `hold` is called with to grow by `mebibytes`.
fn holding(mebibytes: u64, mut request: Value) -> Value {
    request["export"] = json!("hold");
    request["args"] = json!(["hold.wat", (mebibytes * 16).to_string()]);
    request
}

/// Waits, with a deadline, until `done`.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn started(engine: &Engine, module: i64, request: &Value) -> i64 {
    let guest = engine.guest(module, request).expect("guest");
    start(guest);
    guest
}

fn end(engine: &Engine, guest: i64) {
    kill(guest, 9);
    assert_eq!(engine.event(guest).kind, SIGNALLED);
    drop_guest(guest);
}

#[test]
fn a_guest_that_joins_another_shares_its_account() {
    let engine = Engine::new();
    let hold = engine.load("hold.wat", HOLD).unwrap();
    let main = started(&engine, hold, &holding(4, json!({"memoryLimit": 8 * MIB})));
    until("the guest holds 4 MiB", || stat(main)[MEMORY] > 4 * MIB);

    let joined = started(&engine, hold, &holding(2, json!({"joins": main})));
    until("both hold 6 MiB", || stat(main)[MEMORY] > 6 * MIB);
    assert_eq!((stat(joined)[MEMORY], stat(joined)[LIMIT]), (stat(main)[MEMORY], 8 * MIB));

    let greedy = started(&engine, hold, &holding(4, json!({"joins": main})));
    assert_eq!(engine.event(greedy).kind, OUT_OF_MEMORY);
    assert!(guest_text(greedy).contains("the container's memory limit of 8388608 bytes was reached"));
    assert!(engine.poll(20).is_empty(), "the guest that crosses the limit ends, and no other");
    assert_eq!(stat(main)[OOM_KILLS], 1);
    drop_guest(greedy);

    end(&engine, joined);
    assert!((4 * MIB..6 * MIB).contains(&stat(main)[MEMORY]) && stat(main)[PEAK] > 6 * MIB);
    let both = json!({"joins": main, "memoryLimit": MIB});
    assert!(engine.guest(hold, &holding(1, both)).unwrap_err().contains("has the limits of that one"));
    kill(main, 9);
    assert_eq!(engine.event(main).kind, SIGNALLED);
    assert!(engine.guest(hold, &holding(1, json!({"joins": main}))).unwrap_err().contains("has ended already"));
    assert_eq!(stat(main)[MEMORY], 0);
    drop_guest(main);
    assert_eq!(engine.describe()["memoryUsed"], 0);
}

#[test]
fn limits_change_while_a_guest_runs() {
    let engine = Engine::new();
    let hold = engine.load("hold.wat", HOLD).unwrap();
    let main = started(&engine, hold, &holding(4, json!({"memoryLimit": 8 * MIB})));
    until("the guest holds 4 MiB", || stat(main)[MEMORY] > 4 * MIB);

    let (code, text) = update(main, json!({"memoryLimit": 2 * MIB})).unwrap_err();
    assert!(code == EBUSY && text.contains("cannot become 2097152 bytes: it uses "), "{text}");
    assert_eq!(stat(main)[LIMIT], 8 * MIB);
    assert_eq!(update(main, json!({"cpu": {"quotaMicros": 1, "periodMicros": 1}})).unwrap_err().0, EINVAL);

    update(main, json!({"memoryLimit": 16 * MIB, "cpu": {"shares": 2}})).unwrap();
    let joined = started(&engine, hold, &holding(8, json!({"joins": main})));
    until("both hold 12 MiB", || stat(main)[MEMORY] > 12 * MIB);
    update(main, json!({"memoryLimit": 0})).unwrap();
    assert_eq!(stat(main)[LIMIT], 0);

    end(&engine, joined);
    kill(main, 9);
    assert_eq!(engine.event(main).kind, SIGNALLED);
    assert_eq!(update(main, json!({})).unwrap_err().0, ESTATE);
    drop_guest(main);
}

#[test]
fn a_spinner_keeps_to_its_quota() {
    const QUOTA: u64 = 25_000_000;
    let engine = Engine::new();
    let spin = engine.load("spin.wat", SPIN).unwrap();
    let limits = json!({"cpu": {"quotaMicros": 25_000, "periodMicros": 100_000}});
    let guest = started(&engine, spin, &limits);
    until("it was throttled", || stat(guest)[THROTTLED] > 0);

    let (before, begin) = (stat(guest), Instant::now());
    until("50 periods", || stat(guest)[PERIODS] >= before[PERIODS] + 50);
    let (after, wall) = (stat(guest), begin.elapsed().as_nanos() as u64);

    let used = after[CPU] - before[CPU];
    let throttled = after[THROTTLED] - before[THROTTLED];
    // The bound from below counts the periods in which the machine let it use up the quota.
    assert!(used <= wall / 4 * 11 / 10 + QUOTA, "{used} ns of CPU in {wall} ns");
    assert!(used + QUOTA >= throttled * QUOTA * 9 / 10, "{used} ns of CPU in {throttled} periods");
    assert!(throttled > 0 && throttled <= after[PERIODS] - before[PERIODS], "{throttled} throttled periods");
    assert!(after[THROTTLED_NS] > before[THROTTLED_NS]);

    // Without a quota it goes on without a stop.
    update(guest, json!({"cpu": {"quotaMicros": -1}})).unwrap();
    let free = stat(guest);
    until("it has run for a second", || stat(guest)[CPU] > free[CPU] + 1_000_000_000);
    assert_eq!(stat(guest)[THROTTLED], free[THROTTLED]);
    end(&engine, guest);
}

#[test]
fn a_guest_that_has_used_up_its_quota_is_killed_at_once() {
    let engine = Engine::new();
    let spin = engine.load("spin.wat", SPIN).unwrap();
    let guest = started(&engine, spin, &json!({"cpu": {"quotaMicros": 1000, "periodMicros": 1_000_000}}));
    until("it is throttled", || stat(guest)[THROTTLED_NS] > 0);
    end(&engine, guest);
}

#[test]
fn busy_guests_share_a_core_by_weight() {
    let engine = Engine::with(&json!({"maxGuests": 64, "workers": 1}));
    let spin = engine.load("spin.wat", SPIN).unwrap();
    let heavy = started(&engine, spin, &json!({"cpu": {"shares": 1024}}));
    let half = started(&engine, spin, &json!({"cpu": {"shares": 512}}));
    until("both run", || stat(half)[CPU] > 10_000_000 && stat(heavy)[CPU] > 10_000_000);

    let before = [stat(heavy)[CPU], stat(half)[CPU]];
    until("a second of CPU time", || stat(heavy)[CPU] + stat(half)[CPU] > before[0] + before[1] + 1_000_000_000);
    let used = [stat(heavy)[CPU] - before[0], stat(half)[CPU] - before[1]];
    let ratio = used[0] as f64 / used[1] as f64;
    assert!((1.7..2.3).contains(&ratio), "{ratio}: {used:?}");

    update(heavy, json!({"cpu": {"shares": 128}})).unwrap();
    let before = [stat(heavy)[CPU], stat(half)[CPU]];
    until("a second of CPU time", || stat(heavy)[CPU] + stat(half)[CPU] > before[0] + before[1] + 1_000_000_000);
    let used = [stat(heavy)[CPU] - before[0], stat(half)[CPU] - before[1]];
    let ratio = used[1] as f64 / used[0] as f64;
    assert!((3.4..4.6).contains(&ratio), "{ratio}: {used:?}");

    // A newcomer does not wait until the others' past is made up for, and takes no more than its share.
    let newcomer = started(&engine, spin, &json!({"cpu": {"shares": 512}}));
    let before = [stat(newcomer)[CPU], stat(half)[CPU]];
    until("a second of CPU time", || stat(newcomer)[CPU] + stat(half)[CPU] > before[0] + before[1] + 1_000_000_000);
    let used = [stat(newcomer)[CPU] - before[0], stat(half)[CPU] - before[1]];
    let ratio = used[0] as f64 / used[1] as f64;
    assert!((0.8..1.25).contains(&ratio), "{ratio}: {used:?}");
    for guest in [heavy, half, newcomer] {
        end(&engine, guest);
    }
}

#[test]
fn who_asks_for_nothing_does_not_starve() {
    let engine = Engine::with(&json!({"maxGuests": 64, "workers": 1}));
    let spin = engine.load("spin.wat", SPIN).unwrap();
    let modest = started(&engine, spin, &json!({"cpu": {"shares": 2}}));
    let half_a_core = started(&engine, spin, &json!({"cpu": {"shares": 512}}));
    until("both run", || stat(modest)[CPU] > 0 && stat(half_a_core)[CPU] > 100_000_000);

    let before = [stat(modest)[CPU], stat(half_a_core)[CPU]];
    until("two seconds of CPU time", || stat(half_a_core)[CPU] > before[1] + 2_000_000_000);
    let used = [stat(modest)[CPU] - before[0], stat(half_a_core)[CPU] - before[1]];
    let ratio = used[1] as f64 / used[0] as f64;
    assert!((15.0..28.0).contains(&ratio), "{ratio}: {used:?}");
    for guest in [modest, half_a_core] {
        end(&engine, guest);
    }
}

#[test]
fn short_guests_get_through_while_many_spin() {
    let engine = Engine::with(&json!({"maxGuests": 64, "workers": 1}));
    let spin = engine.load("spin.wat", SPIN).unwrap();
    let short = engine.load("short.wat", r#"(module (func (export "_start")))"#).unwrap();
    let spinners: Vec<i64> = (0..20).map(|_| started(&engine, spin, &json!({}))).collect();
    until("all spin", || spinners.iter().all(|guest| stat(*guest)[CPU] > 0));

    // In the time of a guest's start and end, the spinners have few turns between them, however many they are.
    let before: u64 = spinners.iter().map(|guest| stat(*guest)[CPU]).sum();
    for _ in 0..50 {
        assert_eq!(engine.run(short, json!({})).kind, EXITED);
    }
    let spun = spinners.iter().map(|guest| stat(*guest)[CPU]).sum::<u64>() - before;
    assert!(spun < 50 * 8_000_000, "{spun} ns were spun in 50 short guests' lives");
    for guest in spinners {
        end(&engine, guest);
    }
}

/// Writes 64 KiB until it may not.
const WRITE: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 65536))
    (loop $again (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $again))))"#;

#[test]
fn output_that_nobody_reads_is_on_the_account() {
    let engine = Engine::new();
    common::fifo(&engine.path("pipe"));
    let write = engine.load("write.wat", WRITE).unwrap();
    let guest = started(&engine, write, &json!({"stdout": engine.path("pipe")}));
    until("output is pending", || stat(guest)[BUFFERS] > 0);
    assert!(stat(guest)[MEMORY] > stat(guest)[BUFFERS] + 128 * 1024, "{:?}", stat(guest));
    end(&engine, guest);
    assert_eq!(engine.describe()["memoryUsed"], 0);

    // With room for its memory and instance only, it ends by the first byte that the pipe does not take.
    let tight = json!({"stdout": engine.path("pipe"), "memoryLimit": 128 * 1024 + 48 * 1024});
    let guest = started(&engine, write, &tight);
    until("its memory is free", || stat(guest)[PEAK] > 0 && stat(guest)[MEMORY] <= stat(guest)[BUFFERS]);
    // What it wrote is still to be had, and its end is told once that is read.
    let pipe = engine.path("pipe");
    let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap().len());
    assert_eq!(engine.event(guest).kind, OUT_OF_MEMORY);
    drop_guest(guest);
    assert!(reader.join().unwrap() > 0);
}

#[test]
fn compiling_is_on_the_account_of_the_first_guest() {
    let engine = Engine::new();
    let spin = engine.load("spin.wat", SPIN).unwrap();
    let compiled = engine.info(spin)["compileNanos"].as_u64().expect("a number");
    let first = engine.guest(spin, &json!({})).unwrap();
    let second = engine.guest(spin, &json!({})).unwrap();
    assert!(compiled > 0);
    assert_eq!((stat(first)[CPU], stat(second)[CPU]), (compiled, 0));
    drop_guest(first);
    drop_guest(second);
}

#[test]
fn a_guest_that_the_node_has_no_room_for_is_refused() {
    let engine = Engine::with(&json!({"maxGuests": 64, "memory": 8 * MIB}));
    let large = engine.load("large.wat", r#"(module (memory 200) (func (export "_start")))"#).unwrap();
    let text = engine.guest(large, &json!({"name": "pod/app"})).unwrap_err();
    assert!(text.starts_with("no memory for another guest: pod/app begins with 13156352 bytes"), "{text}");
    // Below a limit of its own it is that one which ends it.
    assert_eq!(engine.run(large, json!({"memoryLimit": MIB})).kind, OUT_OF_MEMORY);
    assert_eq!(engine.describe()["live"], 0);
}

#[test]
fn the_nodes_memory_ends_whoever_crosses_it() {
    let engine = Engine::with(&json!({"maxGuests": 64, "memory": 8 * MIB}));
    assert_eq!(engine.describe()["memoryLimit"], 8 * MIB);
    let hold = engine.load("hold.wat", HOLD).unwrap();
    let first = started(&engine, hold, &holding(5, json!({})));
    until("the guest holds 5 MiB", || stat(first)[MEMORY] > 5 * MIB);

    let second = started(&engine, hold, &holding(5, json!({})));
    assert_eq!(engine.event(second).kind, OUT_OF_MEMORY);
    let text = guest_text(second);
    assert!(text.contains("the node's memory for guests, 8388608 bytes, was used up"), "{text}");
    drop_guest(second);
    end(&engine, first);
    assert_eq!(engine.describe()["memoryUsed"], 0);
}
