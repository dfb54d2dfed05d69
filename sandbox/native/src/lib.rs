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
//! | `guest`, `run`, `metered`, `stdio` | one guest: its state, its task, its time, its streams |
//! | `limits` | what a container may use and has used: memory, CPU |
//! | `allocator` | gives memory back to the node after guests and compilers |
//! | `recipe`, `host` | what a guest's stores are made from, and hold |
//! | `serve` | guests that serve HTTP |
//! | `files` | what a guest opens, as which user, on which threads |
//! | `quota` | how many of something a guest holds |
//! | `network` | the pod's network namespace, policy, names, sockets, outgoing HTTP |
//! | `view`, `mounting`, `inside` | the private mount namespace a guest sees as `/` |
//!
//! Threads: `atoll-worker` (tokio, one per core) poll guests and nothing that blocks; `atoll-files`, of one guest
//! each, do what it asks of files; tokio's blocking threads serve streams that are files; `atoll-compile` compile, each with
//! threads of its own; `atoll-map` maps compiled code; `atoll-epoch` ticks while a guest
//! is being polled; `atoll-view` lives as long as it takes to build one view. No thread of the caller ever runs a guest.

pub mod abi;
mod allocator;
mod clock;
mod complexity;
mod engine;
mod entry;
mod events;
mod failure;
mod files;
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
mod pool;
mod program;
mod quota;
mod recipe;
mod registry;
mod run;
mod serve;
mod stdio;
mod ticker;
mod view;
mod waiting;
