//! What a refused or failed call says: a code of the C header and one line of text.

use std::fmt;

/// The `ATOLL_E*` codes of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum Code {
    Invalid = -1,
    NotFound = -2,
    State = -3,
    Exhausted = -4,
    Io = -5,
    Internal = -6,
    NotSupported = -7,
    Busy = -8,
}

/// A failure to report to the caller. The text is one line: cause first, then what was found and what is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub code: Code,
    pub text: String,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: one_line(&text.into()) }
    }

    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(Code::Invalid, text)
    }

    pub fn state(text: impl Into<String>) -> Self {
        Self::new(Code::State, text)
    }

    pub fn not_supported(text: impl Into<String>) -> Self {
        Self::new(Code::NotSupported, text)
    }

    /// A failed system call: what was being done, and the error it gave.
    pub fn io(doing: impl fmt::Display, error: impl Into<std::io::Error>) -> Self {
        let error = error.into();
        let code = match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOSPC) => Code::Exhausted,
            _ => Code::Io,
        };
        Self::new(code, format!("{doing}: {error}"))
    }
}

/// Makes `text` one printable line of at most 4 KiB: guests choose the names that appear in messages.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 4096;
    let mut line = String::with_capacity(text.len().min(LONGEST));
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push_str("; ");
        }
        for character in part.chars() {
            line.push(if character.is_control() { '?' } else { character });
            if line.len() >= LONGEST {
                line.push_str("...");
                return line;
            }
        }
    }
    line
}

/// `text`, cut to `longest` bytes at a character boundary: for names that a guest or an image chose.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}
