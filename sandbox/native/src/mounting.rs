//! The mount system calls, as safe functions over descriptors. Nothing here attaches a mount by a path string.

use crate::failure::{Failure, Result};
use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, mount_change,
    move_mount, open_tree, unmount,
};
use rustix::thread::UnshareFlags;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Attributes of a mount inside a view.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent attribute of the kernel interface")]
pub(crate) struct Attributes {
    pub readonly: bool,
    /// Read-only is also what is mounted below it.
    pub readonly_below: bool,
    pub devices: bool,
    pub recursive: bool,
    /// Later mounts below the source on the host appear in the view too.
    pub follows_host: bool,
}

/// `struct mount_attr` of `mount_setattr(2)`.
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

/// Sets `attributes` and makes the mount nosuid and noexec; the mount belongs to a view or to nobody yet.
pub(crate) fn set_attributes(mount: BorrowedFd<'_>, attributes: Attributes) -> rustix::io::Result<()> {
    let mut set = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    set.set(MountAttrFlags::MOUNT_ATTR_NODEV, !attributes.devices);
    set.set(MountAttrFlags::MOUNT_ATTR_RDONLY, attributes.readonly_below);
    let propagation = if attributes.follows_host { libc::MS_SLAVE } else { libc::MS_PRIVATE };
    change(mount, set, propagation, attributes.recursive)?;
    if attributes.readonly && !attributes.readonly_below {
        change(mount, MountAttrFlags::MOUNT_ATTR_RDONLY, 0, false)?;
    }
    Ok(())
}

/// `propagation` 0 leaves it as it is.
fn change(mount: BorrowedFd<'_>, set: MountAttrFlags, propagation: u64, recursive: bool) -> rustix::io::Result<()> {
    let argument = MountAttr { set: u64::from(set.bits()), clear: 0, propagation, userns: 0 };
    let recursive = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: mount_setattr reads an empty path, which is a static C string, and `argument`, which outlives the call and
    // has the layout and size of the kernel's first version of mount_attr.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            &raw const argument,
            size_of::<MountAttr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

fn last_error() -> rustix::io::Errno {
    rustix::io::Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(rustix::io::Errno::IO)
}

/// A private copy of what is mounted at `path` on the host, attached nowhere.
pub(crate) fn copy_of(path: &str, attributes: Attributes) -> Result<OwnedFd> {
    let failed = |error| Failure::io(format!("cannot bind {path:?}"), error);
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags.set(OpenTreeFlags::AT_RECURSIVE, attributes.recursive);
    let copy = open_tree(CWD, path, flags).map_err(failed)?;
    set_attributes(copy.as_fd(), attributes).map_err(failed)?;
    Ok(copy)
}

/// A new tmpfs, attached nowhere. `options` are key and value, or a flag.
pub(crate) fn new_tmpfs(options: &[(&str, &str)], attributes: Attributes) -> rustix::io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(context.as_fd(), *key, *value)?;
    }
    fsconfig_create(context.as_fd())?;
    let made = fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    set_attributes(made.as_fd(), attributes)?;
    Ok(made)
}

/// A new overlay, attached nowhere. Needs a kernel that takes lower directories one by one (6.7); paths are resolved by the
/// calling thread.
pub(crate) fn new_overlay(lower: &[&str], others: &[(&str, Option<&str>)]) -> rustix::io::Result<OwnedFd> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for directory in lower {
        fsconfig_set_string(context.as_fd(), "lowerdir+", *directory)?;
    }
    for (key, value) in others {
        match value {
            Some(value) => fsconfig_set_string(context.as_fd(), *key, *value)?,
            None => fsconfig_set_flag(context.as_fd(), *key)?,
        }
    }
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

/// The same by mount(2), for older kernels and for options the new interface cannot carry. The calling thread must be alone
/// in its mount namespace: the overlay is mounted over that namespace's `/proc` and copied from there.
pub(crate) fn new_overlay_by_path(options: &str) -> rustix::io::Result<OwnedFd> {
    let options = CString::new(options).map_err(|_| rustix::io::Errno::INVAL)?;
    mount("overlay", "/proc", "overlay", MountFlags::empty(), Some(options.as_c_str()))?;
    let copy = open_tree(CWD, "/proc", OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC);
    unmount("/proc", UnmountFlags::DETACH)?;
    copy
}

/// Attaches a mount over the file or directory that `place` refers to.
pub(crate) fn attach(mount: BorrowedFd<'_>, place: BorrowedFd<'_>) -> rustix::io::Result<()> {
    move_mount(mount, "", place, "", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH)
}

/// Gives the calling thread a mount namespace and a root and working directory of its own.
pub(crate) fn leave_shared_namespace() -> rustix::io::Result<()> {
    // SAFETY: the calling thread is one this crate made for one view; it shares no files by path with other threads, and
    // CLONE_FILES is not among the flags, so descriptors stay valid.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS | UnshareFlags::NEWNS) }
}

/// Separates the calling thread's root and working directory from the process's, as setns needs.
pub(crate) fn leave_shared_root() -> rustix::io::Result<()> {
    // SAFETY: as above.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) }
}

/// Stops mounts made in the calling thread's namespace from reaching others.
pub(crate) fn make_private() -> rustix::io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
}

/// Makes the mount at `place` the root of the calling thread's namespace, in which nothing else is left.
pub(crate) fn become_root(root: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let slash = open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    attach(root, slash.as_fd())?;
    rustix::process::fchdir(root)?;
    // SAFETY: pivot_root reads two static C strings. Both are the new root: the old one then lies over it and is let go.
    let result = unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) };
    if result != 0 {
        return Err(last_error());
    }
    unmount(".", UnmountFlags::DETACH)
}
