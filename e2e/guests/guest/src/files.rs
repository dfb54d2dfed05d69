//! What tests of files ask for: one operation for each word, told in one line each, so that several errors are seen in one
//! run.

use std::ffi::{CString, c_char, c_int};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::time::SystemTime;

// The standard library has no stable function for it on WASI.
unsafe extern "C" {
    fn symlink(target: *const c_char, path: *const c_char) -> c_int;
}

/// Does `OPERATION,PATH[,PATH]` for each word and prints the word with `ok`, what was read, or the number of the error.
pub fn attempt(words: &[&str]) {
    for word in words {
        let parts: Vec<&str> = word.split(',').collect();
        match operate(&parts) {
            Ok(text) if text.is_empty() => println!("{word}: ok"),
            Ok(text) => println!("{word}: {text}"),
            Err(error) => println!("{word}: error {}", number(&error)),
        }
    }
}

fn operate(parts: &[&str]) -> io::Result<String> {
    match *parts {
        ["create", path] => File::create_new(path).map(drop)?,
        ["append", path] => OpenOptions::new()
            .append(true)
            .open(path)?
            .write_all(b"more")?,
        ["truncate", path] => File::create(path).map(drop)?,
        ["shorten", path] => OpenOptions::new().write(true).open(path)?.set_len(0)?,
        ["touch", path] => {
            File::open(path)?.set_times(FileTimes::new().set_modified(SystemTime::now()))?
        }
        ["mkdir", path] => fs::create_dir(path)?,
        ["rmdir", path] => fs::remove_dir(path)?,
        ["unlink", path] => fs::remove_file(path)?,
        ["rename", from, to] => fs::rename(from, to)?,
        ["link", from, to] => fs::hard_link(from, to)?,
        ["symlink", target, path] => link(target, path)?,
        ["readlink", path] => return Ok(fs::read_link(path)?.display().to_string()),
        ["read", path] => return Ok(fs::read_to_string(path)?.trim_end().to_owned()),
        ["size", path] => return Ok(fs::metadata(path)?.len().to_string()),
        ["count", path] => return Ok(fs::read_dir(path)?.count().to_string()),
        _ => return Err(io::ErrorKind::InvalidInput.into()),
    }
    Ok(String::new())
}

fn link(target: &str, path: &str) -> io::Result<()> {
    let (target, path) = (CString::new(target)?, CString::new(path)?);
    // SAFETY: symlink reads two C strings, which live until it returns.
    match unsafe { symlink(target.as_ptr(), path.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The error's number by WASI, which is the same in 0.1 and 0.2.
fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(-1)
}

/// Opens `path` until it has it `count` times or is refused, and says how often it has it; then lets go and opens it once.
pub fn open_many(path: &str, count: usize) -> io::Result<()> {
    let mut held = Vec::new();
    while held.len() < count {
        match File::open(path) {
            Ok(file) => held.push(file),
            Err(error) => {
                println!("{} open, then error {}", held.len(), number(&error));
                break;
            }
        }
    }
    if held.len() == count {
        println!("{count} open");
    }
    drop(held);
    File::open(path)?;
    println!("open again");
    Ok(())
}

/// Holds `path` open `count` times until stdin ends.
pub fn hold(path: &str, count: usize) -> io::Result<()> {
    let held: Vec<File> = (0..count)
        .map(|_| File::open(path))
        .collect::<io::Result<_>>()?;
    println!("holding {}", held.len());
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}

/// Makes `count` empty files in the directory `path`.
pub fn many(path: &str, count: usize) -> io::Result<()> {
    for number in 0..count {
        File::create(format!("{path}/{number}"))?;
    }
    println!("{count} made");
    Ok(())
}

/// Makes directories inside each other until that fails, then says how deep it came and that it can still look.
pub fn deep(path: &str) {
    let mut deepest = path.to_owned();
    let mut depth = 0;
    let error = loop {
        let next = format!("{deepest}/{}", "d".repeat(100));
        match fs::create_dir(&next) {
            Ok(()) => (deepest, depth) = (next, depth + 1),
            Err(error) => break error,
        }
    };
    println!("{depth} deep, then error {}", number(&error));
}

/// Fills a file until the file system refuses, and says by which error.
pub fn fill(path: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    let block = [7; 1 << 16];
    loop {
        if let Err(error) = file.write_all(&block) {
            println!("full: error {}", number(&error));
            return Ok(());
        }
    }
}

/// For ever replaces `path`, in turn, by a directory with the file `name` and by a link to `target`.
pub fn swap(path: &str, target: &str, name: &str) -> io::Result<()> {
    let (directory, pointer) = (format!("{path}.directory"), format!("{path}.link"));
    println!("swapping");
    loop {
        fs::create_dir_all(&directory)?;
        fs::write(format!("{directory}/{name}"), "own")?;
        fs::rename(&directory, path)?;
        fs::rename(path, &directory)?;
        link(target, &pointer)?;
        fs::rename(&pointer, path)?;
        fs::remove_file(path)?;
    }
}

/// Reads and writes `path` over and over while others change what it means, and counts what came of it.
pub fn chase(path: &str, times: usize) {
    let (mut own, mut other, mut failed) = (0, 0, 0);
    for _ in 0..times {
        match fs::read_to_string(path) {
            Ok(text) if text == "own" || text.is_empty() => own += 1,
            Ok(_) => other += 1,
            Err(_) => failed += 1,
        }
        // Whether this goes through is the race; where it must never arrive is looked at from outside.
        drop(
            OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(path)
                .and_then(|mut file| file.write_all(b"own")),
        );
    }
    println!("own {own} other {other} failed {failed}");
}

/// Times `count` rounds of each of a few operations in the directory `path`, in nanoseconds each.
pub fn bench(path: &str, count: u32) -> io::Result<()> {
    let file = format!("{path}/bench");
    fs::write(&file, [1; 4096])?;
    let mut buffer = [0; 4096];
    let mut opened = File::open(&file)?;
    let timed = |name: &str, work: &mut dyn FnMut() -> io::Result<()>| -> io::Result<()> {
        let start = std::time::Instant::now();
        for _ in 0..count {
            work()?;
        }
        println!("{name} {}", start.elapsed().as_nanos() / u128::from(count));
        Ok(())
    };
    timed("stat", &mut || fs::metadata(&file).map(drop))?;
    timed("open-close", &mut || File::open(&file).map(drop))?;
    timed("read-4k", &mut || {
        use io::{Read, Seek};
        opened.rewind()?;
        opened.read_exact(&mut buffer)
    })?;
    timed("create-write-unlink", &mut || {
        let made = format!("{path}/made");
        fs::write(&made, buffer)?;
        fs::remove_file(&made)
    })?;
    Ok(())
}
