//! Paths inside a root that somebody else filled: every step is resolved by the kernel with that root as `/`, so that no
//! link, `..` or `/proc` magic leads out.

use crate::failure::{Code, Failure, Result};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, statat};
use rustix::io::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The longest path, as for the kernel.
const LONGEST: usize = 4096;
/// `openat2` answers EAGAIN when something is renamed meanwhile.
const ATTEMPTS: usize = 16;

/// What a mount point has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Directory,
    File,
}

/// Looks `path` up; the descriptor is `O_PATH` unless `flags` say otherwise.
pub(crate) fn look_up(root: BorrowedFd<'_>, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mut attempts = 0;
    loop {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN) if attempts < ATTEMPTS => attempts += 1,
            answer => return answer,
        }
    }
}

/// Opens the regular file `path` for reading.
pub(crate) fn open_file(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
    check(path)?;
    let failed = |error: Errno| match error {
        Errno::NOENT | Errno::NOTDIR => Failure::new(Code::NotFound, format!("no such file inside the view: {path:?}")),
        error => Failure::io(format!("cannot open {path:?} inside the view"), error),
    };
    let place = look_up(root, path, OFlags::PATH).map_err(failed)?;
    let kind = FileType::from_raw_mode(fstat(&place).map_err(failed)?.st_mode);
    if kind != FileType::RegularFile {
        return Err(Failure::invalid(format!("{path:?} inside the view is a {kind:?}, not a regular file")));
    }
    // The descriptor that was looked at is opened again, so that no device or FIFO can take its place.
    let own = format!("/proc/self/fd/{}", place.as_raw_fd());
    rustix::fs::open(own, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty()).map_err(failed)
}

/// The names in the directory `path`, at most `most` of them.
pub(crate) fn list(root: BorrowedFd<'_>, path: &str, most: usize) -> Result<Vec<String>> {
    check(path)?;
    let failed = |error: Errno| match error {
        Errno::NOENT | Errno::NOTDIR => {
            Failure::new(Code::NotFound, format!("no such directory inside the view: {path:?}"))
        }
        error => Failure::io(format!("cannot list {path:?} inside the view"), error),
    };
    let directory = look_up(root, path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(failed)?;
    let entries = Dir::new(directory).map_err(failed)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_str().ok().map(str::to_owned)));
    let names = names.filter_map(rustix::io::Result::transpose).take(most);
    names.collect::<rustix::io::Result<_>>().map_err(failed)
}

/// Finds the mount point `path`, making what is missing of it.
pub(crate) fn mount_point(root: BorrowedFd<'_>, path: &str, shape: Shape) -> Result<OwnedFd> {
    check(path)?;
    let failed = |error: Errno| Failure::io(format!("cannot make {path:?} inside the view"), error);
    let found = match look_up(root, path, OFlags::PATH) {
        Err(Errno::NOENT) => make(root, path, shape)?,
        found => found.map_err(failed)?,
    };
    let kind = FileType::from_raw_mode(fstat(&found).map_err(failed)?.st_mode);
    match (shape, kind) {
        (Shape::File, FileType::Directory) => {
            Err(Failure::invalid(format!("cannot mount a file over {path:?} inside the view: it is a directory")))
        }
        (Shape::File, _) | (Shape::Directory, FileType::Directory) => Ok(found),
        (Shape::Directory, other) => {
            Err(Failure::invalid(format!("cannot use {path:?} inside the view as a directory: it is a {other:?}")))
        }
    }
}

/// Makes the missing components one by one: each is made in a directory that was resolved inside the root.
fn make(root: BorrowedFd<'_>, path: &str, shape: Shape) -> Result<OwnedFd> {
    let failed = |error: Errno| Failure::io(format!("cannot make {path:?} inside the view"), error);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Failure::invalid(format!("cannot make {path:?} inside the view: it contains \"..\"")));
    }
    let mut parent = look_up(root, ".", OFlags::PATH | OFlags::DIRECTORY).map_err(failed)?;
    for (index, part) in parts.iter().enumerate() {
        let reached = parts[..=index].join("/");
        let next = match look_up(root, &reached, OFlags::PATH) {
            Err(Errno::NOENT) => {
                if statat(&parent, *part, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    return Err(Failure::invalid(format!(
                        "cannot make {path:?} inside the view: {reached:?} is a symbolic link to something that does not exist"
                    )));
                }
                if index + 1 < parts.len() || shape == Shape::Directory {
                    mkdirat(&parent, *part, Mode::from_raw_mode(0o755)).map_err(failed)?;
                } else {
                    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    drop(openat(&parent, *part, flags, Mode::from_raw_mode(0o644)).map_err(failed)?);
                }
                look_up(parent.as_fd(), part, OFlags::PATH | OFlags::NOFOLLOW).map_err(failed)?
            }
            found => found.map_err(failed)?,
        };
        parent = next;
    }
    Ok(parent)
}

fn check(path: &str) -> Result<()> {
    if path.is_empty() || path.len() > LONGEST || path.contains('\0') {
        return Err(Failure::invalid(format!(
            "a path inside a view has 1 to {LONGEST} bytes and no NUL; {} bytes were given",
            path.len()
        )));
    }
    Ok(())
}
