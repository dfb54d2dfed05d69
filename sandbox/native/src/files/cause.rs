//! What the kernel meant. wasmtime-wasi has no code for some of its errors, and tells them as I/O errors.
//!
//! The functions here block, and are for a guest's file threads.

use rustix::fs::{
    AtFlags, Mode, OFlags, RawDir, ResolveFlags, StatVfsMountFlags, StatxFlags, fstatvfs, openat, openat2, statx,
};
use rustix::io::Errno;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Entries of a directory that can be listed: wasmtime-wasi reads all of them into this process's memory at once.
pub(super) const MOST_ENTRIES: usize = 100_000;

/// What an operation is about: a path in a directory.
pub(super) type Place = (Arc<File>, String);

/// An error that wasmtime-wasi has no code for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    ReadOnly,
    CrossDevice,
}

/// Why an open file could not be changed.
pub(super) fn of_file(file: &File) -> Option<Cause> {
    is_read_only(file).then_some(Cause::ReadOnly)
}

/// Why `place` could not be changed or made: its file system, or that of what it names, is read-only.
pub(super) fn of_change(place: &Place) -> Option<Cause> {
    let (directory, path) = place;
    let read_only = |found: rustix::io::Result<OwnedFd>| found.is_ok_and(is_read_only);
    (read_only(look_up(directory, path)) || read_only(parent(place))).then_some(Cause::ReadOnly)
}

fn is_read_only(file: impl AsFd) -> bool {
    fstatvfs(file).is_ok_and(|status| status.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Why `from` could not be moved or linked to `to`.
pub(super) fn of_move(from: &Place, to: &Place) -> Option<Cause> {
    let mount = |place| parent(place).and_then(|parent| mount_id(&parent));
    match (mount(from), mount(to)) {
        (Ok(one), Ok(other)) if one != other => Some(Cause::CrossDevice),
        _ => of_change(from).or_else(|| of_change(to)),
    }
}

/// Whether a directory has more entries than can be listed.
pub(super) fn is_too_long(directory: &File) -> bool {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 8 << 10];
    let Ok(again) = openat(directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) else {
        return false;
    };
    let mut entries = RawDir::new(again, &mut buffer);
    let mut count = 0;
    while let Some(Ok(_)) = entries.next() {
        count += 1;
        if count > MOST_ENTRIES {
            return true;
        }
    }
    false
}

fn look_up(directory: &File, path: &str) -> rustix::io::Result<OwnedFd> {
    openat2(directory, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::BENEATH)
}

fn parent((directory, path): &Place) -> rustix::io::Result<OwnedFd> {
    let path = path.trim_end_matches('/');
    let parent = path.rfind('/').map_or(".", |slash| &path[..slash]);
    look_up(directory, if parent.is_empty() { "." } else { parent })
}

fn mount_id(place: &OwnedFd) -> rustix::io::Result<u64> {
    let status = statx(place, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    if StatxFlags::from_bits_retain(status.stx_mask).contains(StatxFlags::MNT_ID) {
        Ok(status.stx_mnt_id)
    } else {
        Err(Errno::NOSYS)
    }
}
