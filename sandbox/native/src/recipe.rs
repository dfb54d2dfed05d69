//! What the stores of a guest are made from: a command has one, a server one for each instance.

use crate::failure::{Code, Failure, Result};
use crate::host::{Host, HostNetwork};
use crate::limits::{Limits, Usage};
use crate::network::{Network, sockets};
use crate::stdio::{Input, Output, StdinSource, StdoutSource};
use crate::view::View;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use wasmtime::{Engine, Store};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiView};

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
    /// In bytes, over all stores; 0 is none.
    pub memory_limit: u64,
    pub usage: Arc<Usage>,
}

/// A guest's files: the view's root as `/`, and before it the working directory as `.`.
pub(crate) struct Files {
    /// Opened once: each store gets its own reference.
    preopened: WasiFilesystemCtx,
    has_cwd: bool,
    _view: Arc<View>,
}

impl Files {
    /// The working directory is made if it is missing, as runc does.
    pub fn open(view: Arc<View>, cwd: &str) -> Result<Self> {
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
        Ok(Self { preopened: wasi.build().filesystem().clone(), has_cwd, _view: view })
    }

    pub fn has_cwd(&self) -> bool {
        self.has_cwd
    }
}

impl Recipe {
    /// The data of a new store.
    pub fn host(&self) -> Host {
        let mut wasi = WasiCtxBuilder::new();
        if let Some(stdin) = &self.stdin {
            wasi.stdin(StdinSource(stdin.clone()));
        }
        wasi.stdout(StdoutSource(self.stdout.clone())).stderr(StdoutSource(self.stderr.clone()));
        wasi.args(&self.args).envs(&self.env);
        if self.files.is_some() {
            wasi.initial_cwd(&self.cwd);
        }
        let net = HostNetwork::new(self.network.clone(), sockets::give(&mut wasi, self.network.as_ref()));
        let limits = Limits::new(self.memory_limit, self.usage.clone());
        let mut wasi = wasi.build_p1();
        if let Some(files) = &self.files {
            *wasi.ctx().ctx.filesystem() = files.preopened.clone();
        }
        Host { wasi, limits, net }
    }
}

/// A store under its limits, which yields at each tick of the epoch.
pub(crate) fn store(engine: &Engine, host: Host) -> Store<Host> {
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    store
}
