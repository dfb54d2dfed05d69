//! The commands, each a function.

mod files;
mod network;
mod system;
mod text;

use crate::process::{Outcome, Process};

type Applet = fn(&Process) -> Outcome;

/// Those for which WASI 0.1 is enough.
const PLAIN: &[(&str, Applet)] = &[
    ("[", text::test),
    ("cat", text::cat),
    ("dd", files::dd),
    ("echo", text::echo),
    ("env", system::env),
    ("false", |_| Ok(1)),
    ("grep", text::grep),
    ("head", text::head),
    ("hostname", system::hostname),
    ("ls", files::ls),
    ("mkdir", files::mkdir),
    ("pgrep", system::pgrep),
    ("printf", text::printf),
    ("pwd", system::pwd),
    ("rm", files::rm),
    ("seq", text::seq),
    ("sleep", system::sleep),
    ("stat", files::stat),
    ("sync", |_| Ok(0)),
    ("test", text::test),
    ("top", system::top),
    ("touch", files::touch),
    ("true", |_| Ok(0)),
    ("wc", text::wc),
];

const NETWORKED: &[(&str, Applet)] = &[
    ("httpd", network::httpd),
    ("nc", network::nc),
    ("nslookup", network::nslookup),
    ("wget", network::wget),
];

/// Returns the command of a name.
pub fn find(name: &str) -> Option<Applet> {
    let (_, applet) = PLAIN
        .iter()
        .chain(NETWORKED)
        .find(|(known, _)| *known == name)?;
    Some(*applet)
}

/// A line for each name that a file system with this program has links of, and whether the command needs a network.
pub fn links() -> String {
    let names = |applets: &[(&str, Applet)], needs: &str| -> String {
        applets
            .iter()
            .map(|(name, _)| format!("{name}{needs}\n"))
            .collect()
    };
    format!("sh\n{}{}", names(PLAIN, ""), names(NETWORKED, " network"))
}
