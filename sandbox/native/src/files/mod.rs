//! A guest's files: which directories it is given, as which user it works on them, how many it may have open.
//!
//! | file | owns |
//! |---|---|
//! | `user` | uid, gid, groups, umask and capabilities, and becoming that user |
//! | `threads` | the threads that do a guest's file operations as its user |
//! | `held` | what one instance has open |
//! | `preview1`, `preview2` | the functions of WASI 0.1 and 0.2, put before wasmtime-wasi's own, which do all the work |
//! | `streams` | wasi:io's streams over files, on the same threads |
//! | `cause` | errors that wasmtime-wasi has no code for |

mod cause;
mod held;
mod preview1;
mod preview2;
mod streams;
mod threads;
mod user;

pub(crate) use held::Held;
pub(crate) use preview2::add_to_linker;
pub(crate) use threads::Census;
pub(crate) use user::{User, UserRequest};

use crate::failure::{Code, Failure, Result};
use crate::quota::Quota;
use crate::view::View;
use std::os::fd::AsRawFd;
use std::sync::{Arc, OnceLock};
use threads::FileThreads;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// A guest's files: the view's root as `/`, and before it the working directory as `.`.
pub(crate) struct Files {
    /// Opened once: each store gets its own reference.
    preopened: WasiFilesystemCtx,
    has_cwd: bool,
    threads: Arc<FileThreads>,
    /// Files and directories that the guest opened, over all its instances.
    open: Arc<Quota>,
    _view: Arc<View>,
}

impl Files {
    /// The working directory is made if it is missing, as runc does. `most` is of open files.
    pub fn open(view: Arc<View>, cwd: &str, user: User, most: usize, census: Arc<Census>) -> Result<Self> {
        check_privileges()?;
        let mut wasi = WasiCtxBuilder::new();
        let mut preopen = |path: &str, name: &str| {
            wasi.preopened_dir(path, name, FsPerms::ReadWrite)
                .map(|_| ())
                .map_err(|error| Failure::new(Code::Io, format!("cannot open {name} of the view: {error:#}")))
        };
        let has_cwd = !cwd.trim_matches('/').is_empty();
        if has_cwd {
            let directory = view.directory(cwd)?;
            preopen(&format!("/proc/self/fd/{}", directory.as_raw_fd()), ".")?;
        }
        preopen(&view.root_path(), "/")?;
        Ok(Self {
            preopened: wasi.build().filesystem().clone(),
            has_cwd,
            threads: Arc::new(FileThreads::new(user, census)),
            open: Arc::new(Quota::new(most)),
            _view: view,
        })
    }

    pub fn has_cwd(&self) -> bool {
        self.has_cwd
    }

    /// The directories for the context of a new store.
    pub fn given(&self) -> WasiFilesystemCtx {
        self.preopened.clone()
    }
}

/// Refuses what would later end the process: a daemon that cannot become another user.
fn check_privileges() -> Result<()> {
    static CHECKED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let checked = CHECKED.get_or_init(|| threads::can_change_user().map_err(|error| error.to_string()));
    checked.clone().map_err(|error| {
        Failure::new(
            Code::Io,
            format!(
                "a thread of Atoll's daemon cannot become another user ({error}): it needs CAP_SETUID, CAP_SETGID and what its guests are to have of CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER and CAP_FSETID"
            ),
        )
    })
}
