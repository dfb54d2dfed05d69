//! Who a guest is to the kernel when it works on files.

use crate::failure::{Failure, Result, shortened};
use rustix::fs::{Gid, Mode};
use rustix::process::umask;
use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags, set_capabilities, set_thread_groups};
use serde::Deserialize;
use std::io;

/// Supplementary groups that the kernel takes (`NGROUPS_MAX`).
const MOST_GROUPS: usize = 65_536;
/// As runc has it.
const UMASK: u32 = 0o022;
/// The capabilities that change what a guest may do with files: WASI has no function for what the others allow.
const CAPABILITIES: &[(&str, CapabilitySet)] = &[
    ("CAP_DAC_OVERRIDE", CapabilitySet::DAC_OVERRIDE),
    ("CAP_DAC_READ_SEARCH", CapabilitySet::DAC_READ_SEARCH),
    ("CAP_FOWNER", CapabilitySet::FOWNER),
    ("CAP_FSETID", CapabilitySet::FSETID),
];

/// `atoll_guest_new`'s `user`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRequest {
    uid: u32,
    gid: u32,
    #[serde(default)]
    groups: Vec<u32>,
    umask: Option<u32>,
    #[serde(default)]
    capabilities: Vec<String>,
}

/// The identity under which files are looked up, opened and made.
#[derive(Clone, Debug)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
    groups: Vec<Gid>,
    umask: Mode,
    capabilities: CapabilitySet,
}

impl Default for User {
    /// Root, whom no mode of a file holds up.
    fn default() -> Self {
        let capabilities = CAPABILITIES.iter().map(|(_, capability)| *capability).collect();
        Self { uid: 0, gid: 0, groups: Vec::new(), umask: Mode::from_raw_mode(UMASK), capabilities }
    }
}

impl User {
    /// Capabilities that have nothing to do with files are left out.
    pub fn new(request: &UserRequest) -> Result<Self> {
        let no_id = u32::MAX;
        if request.uid == no_id || request.gid == no_id || request.groups.contains(&no_id) {
            return Err(Failure::invalid(format!("{no_id} is no user and no group: ids are 0 to {}", no_id - 1)));
        }
        if request.groups.len() > MOST_GROUPS {
            return Err(Failure::invalid(format!(
                "the user has {} groups, at most {MOST_GROUPS} are accepted",
                request.groups.len()
            )));
        }
        let umask = request.umask.unwrap_or(UMASK);
        if umask > 0o777 {
            return Err(Failure::invalid(format!(
                "the umask {umask:o} is not acceptable: expected 0 to 777, in octal"
            )));
        }
        if let Some(wrong) = request.capabilities.iter().find(|name| !name.starts_with("CAP_")) {
            return Err(Failure::invalid(format!(
                "{:?} is no capability: expected a name like CAP_FOWNER",
                shortened(wrong, 40)
            )));
        }
        let held = CAPABILITIES.iter().filter(|(name, _)| request.capabilities.iter().any(|other| other == name));
        Ok(Self {
            uid: request.uid,
            gid: request.gid,
            groups: request.groups.iter().map(|group| Gid::from_raw(*group)).collect(),
            umask: Mode::from_raw_mode(umask),
            capabilities: held.map(|(_, capability)| *capability).collect(),
        })
    }

    /// Some user without any right, to try [`Self::assume`] with.
    pub fn nobody() -> Self {
        Self { uid: 65_534, gid: 65_534, capabilities: CapabilitySet::empty(), ..Self::default() }
    }

    /// Makes the calling thread, for good, one that the kernel takes for this user in everything about files.
    ///
    /// Its real, effective and saved ids stay root's: for signals and ptrace the thread is still the daemon's, so that a
    /// process of the same uid elsewhere on the node can do nothing to it.
    pub fn assume(&self) -> io::Result<()> {
        // SAFETY: the calling thread serves one guest's files and reaches nothing by a path of the process: it works with
        // descriptors of directories only, so a root and a working directory of its own change nothing but the umask.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) }?;
        umask(self.umask);
        set_thread_groups(&self.groups)?;
        filesystem_id(libc::SYS_setfsgid, self.gid)?;
        filesystem_id(libc::SYS_setfsuid, self.uid)?;
        let sets = CapabilitySets {
            effective: self.capabilities,
            permitted: self.capabilities,
            inheritable: CapabilitySet::empty(),
        };
        Ok(set_capabilities(None, sets)?)
    }
}

/// setfsuid(2) and setfsgid(2) answer with the previous id and never with an error, so what was set is asked back.
fn filesystem_id(call: libc::c_long, id: u32) -> io::Result<()> {
    // SAFETY: both calls take one number and change the calling thread's credentials alone.
    let now = unsafe {
        libc::syscall(call, libc::c_long::from(id));
        libc::syscall(call, libc::c_long::from(-1_i32))
    };
    if now == libc::c_long::from(id) { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}
