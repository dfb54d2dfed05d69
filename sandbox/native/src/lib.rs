//! Atoll's engine: the C ABI over Wasmtime that the daemon runs its guests with.
//!
//! `include/atoll_engine.h` is the contract; [`abi`] exports it and is the only place that touches the caller's pointers.
//! The other modules, from the outside in:
//!
//! | module | owns |
//! |---|---|
//! | `failure`, `registry`, `json` | error codes with text, ids to objects, bounded requests |
//! | `engine`, `ticker`, `jobs`, `events` | Wasmtime's settings, threads, the epoch, the queue the caller polls |
//! | `module`, `program`, `linking`, `entry` | from bytes to a linked program, and what to call in it |
//! | `guest`, `run`, `metered`, `limits`, `stdio` | one guest: its state, its task, its time, its memory, its streams |
//! | `recipe`, `host` | what a guest's stores are made from, and hold |
//! | `serve` | guests that serve HTTP |
//! | `network` | the pod's network namespace, policy, names, sockets, outgoing HTTP |
//! | `view`, `mounting`, `inside` | the private mount namespace a guest sees as `/` |
//!
//! Threads: `atoll-worker` (tokio, one per core) poll guests and nothing that blocks; tokio's blocking threads do file
//! work; `atoll-compile` (at most one per core) compile; `atoll-map` maps compiled code; `atoll-epoch` ticks while a guest
//! is being polled; `atoll-view` lives as long as it takes to build one view. No thread of the caller ever runs a guest.

pub mod abi;
mod clock;
mod complexity;
mod engine;
mod entry;
mod events;
mod failure;
mod guest;
mod host;
mod inside;
mod jobs;
mod json;
mod limits;
mod linking;
mod metered;
mod module;
mod mounting;
mod network;
mod panics;
mod program;
mod recipe;
mod registry;
mod run;
mod serve;
mod stdio;
mod ticker;
mod view;
mod waiting;
