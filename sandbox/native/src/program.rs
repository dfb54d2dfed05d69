//! What bytes are: a core module, a component, text, or something else that gets named.

use crate::failure::{Failure, Result, one_line, shortened};
use wasmparser::BinaryReaderError;

/// The two kinds of program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    Component,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Component => "component",
        }
    }
}

const ACCEPTED: &str = "accepted are a WebAssembly module or component, in binary or text format";

/// Leading bytes of files that end up where a program was meant to be.
const KNOWN: &[(&[u8], &str)] = &[
    (b"\x7fELF", "an ELF executable or library (native code is never accepted as a program)"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"PK\x03\x04", "a zip or jar archive"),
    (b"MZ", "a Windows executable"),
    (b"\xcf\xfa\xed\xfe", "a macOS executable"),
    (b"\xca\xfe\xba\xbe", "a Java class or macOS executable"),
    (b"#!", "a script"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it stands for"),
    (b"<!", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"{", "JSON text"),
];

/// Tells what `bytes` are; `name` is for the message.
pub(crate) fn kind(name: &str, bytes: &[u8]) -> Result<Kind> {
    let refuse = |found: String| Err(Failure::invalid(format!("{name} is not WebAssembly: it is {found}; {ACCEPTED}")));
    if bytes.is_empty() {
        return refuse("an empty file".into());
    }
    if bytes.starts_with(b"\0asm") {
        return match bytes.get(4..8) {
            Some([1, 0, 0, 0]) => Ok(Kind::Module),
            Some([0x0d, 0, 1, 0]) => Ok(Kind::Component),
            Some(version) => Err(Failure::invalid(format!(
                "{name} is WebAssembly of a version this engine does not know: its header says {}; accepted are \
                 01 00 00 00 (a module) and 0d 00 01 00 (a component); build it with current tools",
                hex(version)
            ))),
            None => Err(Failure::invalid(format!(
                "{name} is cut off after {} bytes, inside the WebAssembly header",
                bytes.len()
            ))),
        };
    }
    if let Some(keyword) = text_keyword(bytes) {
        return Ok(if keyword == b"component" { Kind::Component } else { Kind::Module });
    }
    if let Some((_, found)) = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return refuse((*found).to_owned());
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return refuse("a tar archive".into());
    }
    refuse(format!("unknown data that begins with {}", hex(&bytes[..bytes.len().min(8)])))
}

/// The first keyword after the first parenthesis of WebAssembly text, past blanks and comments.
fn text_keyword(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut opened = false;
    loop {
        rest = rest.trim_ascii_start();
        if let Some(comment) = rest.strip_prefix(b";;") {
            rest = comment.splitn(2, |byte| *byte == b'\n').nth(1)?;
        } else if rest.starts_with(b"(;") {
            rest = after_block_comment(rest)?;
        } else if opened {
            let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
            return (end > 0).then(|| &rest[..end]);
        } else {
            rest = rest.strip_prefix(b"(")?;
            opened = true;
        }
    }
}

/// What follows a block comment, which nests.
fn after_block_comment(bytes: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match bytes.get(at..at + 2)? {
            b"(;" => (depth, at) = (depth + 1, at + 2),
            b";)" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(&bytes[at..]);
        }
    }
}

/// Puts Wasmtime's refusal of `bytes` into words.
pub(crate) fn not_compiled(name: &str, bytes: &[u8], error: &wasmtime::Error) -> Failure {
    let Some(damage) = error.downcast_ref::<BinaryReaderError>() else {
        return Failure::invalid(format!("{name} cannot be compiled: {}", one_line(&format!("{error:#}"))));
    };
    let (offset, message) = (damage.offset(), shortened(&one_line(damage.message()), 500));
    let unknown = ["not enabled", "not supported", "requires", "support is"].iter().any(|word| message.contains(word));
    Failure::invalid(if unknown {
        format!(
            "{name} uses a WebAssembly feature that this engine does not offer: {message} (at offset {offset:#x}); not \
             offered are garbage collection, exceptions, shared memories, stack switching and component-model async; \
             build it without"
        )
    } else if message.contains("unexpected end") || offset >= bytes.len() {
        format!(
            "{name} is cut off: it ends after {} bytes, but at offset {offset:#x} more was announced ({message}); \
             build or upload it again",
            bytes.len()
        )
    } else {
        format!("{name} is damaged or not valid WebAssembly at offset {offset:#x}: {message}")
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
