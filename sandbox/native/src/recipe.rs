//! What the stores of a guest are made from: a command has one, a server one for each instance.

use crate::failure::{Code, Failure, Result};
use crate::host::{Host, HostNetwork};
use crate::limits::{self, Account, StoreLimits};
use crate::network::{Network, sockets};
use crate::stdio::{Input, Output, StdinSource, StdoutSource};
use crate::view::View;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// Arguments, environment, files, streams, network and limits of one guest.
pub(crate) struct Recipe {
    pub args: Vec<String>,
    /// Names with values.
    pub env: Vec<(String, String)>,
    pub cwd: String,
    /// `None`: the guest sees no files.
    pub files: Option<Files>,
    /// `None`: standard input is empty.
    pub stdin: Option<Arc<Input>>,
    pub stdout: Arc<Output>,
    pub stderr: Arc<Output>,
    pub network: Option<Arc<Network>>,
    pub account: Arc<Account>,
}

/// A guest's files: the view's root as `/`, and before it the working directory as `.`.
pub(crate) struct Files {
    view: Arc<View>,
    /// `None` where it is the root.
    cwd: Option<OwnedFd>,
}

impl Files {
    /// The working directory is made if it is missing, as runc does.
    pub fn open(view: Arc<View>, cwd: &str) -> Result<Self> {
        let cwd = if cwd.trim_matches('/').is_empty() { None } else { Some(view.directory(cwd)?) };
        Ok(Self { view, cwd })
    }

    pub fn has_cwd(&self) -> bool {
        self.cwd.is_some()
    }

    fn give(&self, wasi: &mut WasiCtxBuilder) -> Result<()> {
        let mut preopen = |path: &str, name: &str| {
            wasi.preopened_dir(path, name, FsPerms::ReadWrite)
                .map(|_| ())
                .map_err(|error| Failure::new(Code::Io, format!("cannot open {name} of the view: {error:#}")))
        };
        if let Some(cwd) = &self.cwd {
            preopen(&format!("/proc/self/fd/{}", cwd.as_raw_fd()), ".")?;
        }
        preopen(&self.view.root_path(), "/")
    }
}

impl Recipe {
    /// The data of a new store.
    pub fn host(&self) -> Result<Host> {
        let mut wasi = WasiCtxBuilder::new();
        if let Some(stdin) = &self.stdin {
            wasi.stdin(StdinSource(stdin.clone()));
        }
        wasi.stdout(StdoutSource(self.stdout.clone())).stderr(StdoutSource(self.stderr.clone()));
        wasi.args(&self.args).envs(&self.env);
        if let Some(files) = &self.files {
            files.give(&mut wasi)?;
            wasi.initial_cwd(&self.cwd);
        }
        let net = HostNetwork::new(self.network.clone(), sockets::give(&mut wasi, self.network.as_ref()));
        let limits = StoreLimits::new(self.account.clone());
        Ok(Host { wasi: wasi.build_p1(), limits, net })
    }
}

/// A store under its limits, which waits for its next turn at each tick of the epoch.
pub(crate) fn store(engine: &Engine, mut host: Host) -> wasmtime::Result<Store<Host>> {
    host.limits.instance()?;
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(limits::turn()))));
    Ok(store)
}
