//! What the stores of a guest are made from: a command has one, a server one for each instance.

use crate::files::{Files, Held};
use crate::host::{Host, HostNetwork};
use crate::limits::{self, Account, StoreLimits};
use crate::network::{Network, sockets};
use crate::stdio::{Input, Output, StdinSource, StdoutSource};
use std::sync::Arc;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtxBuilder, WasiView};

/// Handles of the host that an instance may have; Wasmtime would give it a million. More than programs need, and few enough
/// that an instance's end, which drops all of them in one go, holds up no other guest.
const MOST_HANDLES: usize = 65_536;

/// Arguments, environment, files, streams, network and limits of one guest.
pub(crate) struct Recipe {
    pub args: Vec<String>,
    /// Names with values.
    pub env: Vec<(String, String)>,
    pub cwd: String,
    /// `None`: the guest sees no files.
    pub files: Option<Arc<Files>>,
    /// `None`: standard input is empty.
    pub stdin: Option<Arc<Input>>,
    pub stdout: Arc<Output>,
    pub stderr: Arc<Output>,
    pub network: Option<Arc<Network>>,
    pub account: Arc<Account>,
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
        let limits = StoreLimits::new(self.account.clone());
        let mut wasi = wasi.build_p1();
        wasi.ctx().table.set_max_capacity(MOST_HANDLES);
        if let Some(files) = &self.files {
            *wasi.ctx().ctx.filesystem() = files.given();
        }
        Host { wasi, files: Held::new(self.files.as_ref()), limits, net }
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
