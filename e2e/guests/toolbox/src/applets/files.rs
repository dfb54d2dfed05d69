//! Commands on files and directories.

use std::fs::{self, File, Metadata, OpenOptions};
use std::hint::black_box;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use crate::process::{Outcome, Process, about};

/// Names, one a line, sorted; `-a` and `-A` show those that begin with a dot, `-R` goes into directories.
pub fn ls(process: &Process) -> Outcome {
    let (letters, named) = process.options();
    let here = ["".to_owned()];
    let paths = if named.is_empty() { &here[..] } else { named };
    for path in paths {
        list(process, path, &letters).map_err(|problem| about(path, &problem))?;
    }
    Ok(0)
}

fn list(process: &Process, path: &str, letters: &str) -> io::Result<()> {
    let whole = process.path(path);
    if !fs::metadata(&whole)?.is_dir() {
        return process.print(&format!("{path}\n"));
    }
    let mut names = fs::read_dir(&whole)?
        .map(|entry| entry.map(|found| found.file_name().to_string_lossy().into_owned()))
        .filter(|name| match name {
            Ok(name) => !name.starts_with('.') || letters.contains(['a', 'A']),
            Err(_) => true,
        })
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    if letters.contains('R') {
        process.print(&format!("{path}:\n"))?;
    }
    for name in &names {
        process.print(&format!("{name}\n"))?;
    }
    if letters.contains('R') {
        for name in names {
            let inner = format!("{}/{name}", path.trim_end_matches('/'));
            if fs::symlink_metadata(process.path(&inner))?.is_dir() {
                list(process, &inner, letters)?;
            }
        }
    }
    Ok(())
}

pub fn touch(process: &Process) -> Outcome {
    each(process.arguments, |path| {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(process.path(path))
            .map(drop)
    })
}

/// `-p`: its parents too, and it may be there.
pub fn mkdir(process: &Process) -> Outcome {
    let (letters, paths) = process.options();
    each(paths, |path| {
        if letters.contains('p') {
            fs::create_dir_all(process.path(path))
        } else {
            fs::create_dir(process.path(path))
        }
    })
}

/// `-r`: directories too; `-f`: it may be missing.
pub fn rm(process: &Process) -> Outcome {
    let (letters, paths) = process.options();
    each(paths, |path| {
        let whole = process.path(path);
        let removed = match fs::symlink_metadata(&whole) {
            Ok(found) if found.is_dir() && letters.contains('r') => fs::remove_dir_all(&whole),
            Ok(_) => fs::remove_file(&whole),
            Err(problem) => Err(problem),
        };
        match removed {
            Err(problem) if problem.kind() == ErrorKind::NotFound && letters.contains('f') => {
                Ok(())
            }
            result => result,
        }
    })
}

/// Each file's kind, size and name.
pub fn stat(process: &Process) -> Outcome {
    each(process.arguments, |path| {
        let found = fs::symlink_metadata(process.path(path))?;
        process.print(&format!("{} {} {path}\n", kind(&found), found.len()))
    })
}

fn kind(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    match (kind.is_file(), kind.is_dir(), kind.is_symlink()) {
        (true, ..) => "file",
        (_, true, _) => "directory",
        (_, _, true) => "link",
        _ => "other",
    }
}

/// Copies blocks from `if=` to `of=`: `bs=` bytes at once, with the suffix K or M, and `count=` of them at most.
pub fn dd(process: &Process) -> Outcome {
    let given = |name: &str| {
        process
            .arguments
            .iter()
            .find_map(|word| word.strip_prefix(name))
            .map(str::to_owned)
    };
    let size = given("bs=").map_or(Ok(512), |text| bytes(&text))?;
    let count: u64 = given("count=").map_or(Ok(u64::MAX), |text| text.parse())?;
    let mut block = vec![black_box(1_u8); size];
    let mut from: Box<dyn Read> = match given("if=") {
        Some(name) => {
            Box::new(File::open(process.path(&name)).map_err(|problem| about(&name, &problem))?)
        }
        None => Box::new(io::stdin()),
    };
    let mut to: Box<dyn Write> = match given("of=") {
        Some(name) => Box::new(
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(!Path::new(&name).starts_with("/dev"))
                .open(process.path(&name))
                .map_err(|problem| about(&name, &problem))?,
        ),
        None => Box::new(io::stdout()),
    };
    for _ in 0..count {
        let length = from.read(&mut block)?;
        if length == 0 {
            break;
        }
        to.write_all(&block[..length])?;
    }
    Ok(0)
}

fn bytes(text: &str) -> Result<usize, Box<dyn std::error::Error>> {
    let (digits, unit) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1 << 10),
        None => text
            .strip_suffix('M')
            .map_or((text, 1), |digits| (digits, 1 << 20)),
    };
    Ok(digits.parse::<usize>()? * unit)
}

fn each(paths: &[String], mut on: impl FnMut(&str) -> io::Result<()>) -> Outcome {
    if paths.is_empty() {
        return Err("a path is missing".into());
    }
    for path in paths {
        on(path).map_err(|problem| about(path, &problem))?;
    }
    Ok(0)
}
