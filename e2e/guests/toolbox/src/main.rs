//! A userland in one program, as a multi-call binary: the name that it is run by says what it does, and `toolbox NAME ..`
//! does the same as `NAME ..`. It stands in for the image of small native tools that conformance tests of CRI expect.
//!
//! Built for WASI 0.1 it exits with any status but has no network; built for WASI 0.2 it is the other way round.

mod applets;
mod process;
mod shell;

use std::env;
use std::process::exit;

use crate::process::Streams;
use crate::shell::Shell;

fn main() {
    let words: Vec<String> = env::args().collect();
    let streams = Streams::of_the_guest();
    let status = Shell::of_the_guest().call(&called(&words), &streams);
    // A reader that is gone has what it wanted.
    let _ = streams.output.borrow_mut().flush();
    let _ = streams.errors.borrow_mut().flush();
    exit(status);
}

/// Returns the command and its arguments, the name of a file without its directory.
fn called(words: &[String]) -> Vec<String> {
    let file = words.first().map_or("", String::as_str);
    let name = file.rsplit('/').next().unwrap_or(file);
    let rest = words.iter().skip(1).cloned();
    if name.is_empty() || name.starts_with("toolbox") {
        rest.collect()
    } else {
        [name.to_owned()].into_iter().chain(rest).collect()
    }
}
