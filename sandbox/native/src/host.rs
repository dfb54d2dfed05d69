//! The data of a guest's store: what its host functions work on.

use crate::files::Held;
use crate::limits::StoreLimits;
use crate::network::{Hooks, Network, StoreSockets};
use std::sync::Arc;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// One store's data.
pub(crate) struct Host {
    /// Dropped before `files`, as that demands.
    pub wasi: WasiP1Ctx,
    pub files: Held,
    pub limits: StoreLimits,
    pub net: HostNetwork,
}

/// A store's part of its guest's network.
pub(crate) struct HostNetwork {
    /// `None`: the guest has no network, and every socket is refused.
    pub network: Option<Arc<Network>>,
    /// The sockets that this store holds.
    pub sockets: Arc<StoreSockets>,
    pub hooks: Hooks,
    pub http: WasiHttpCtx,
}

impl HostNetwork {
    pub fn new(network: Option<Arc<Network>>, sockets: Arc<StoreSockets>) -> Self {
        Self { hooks: Hooks::new(network.clone()), network, sockets, http: WasiHttpCtx::new() }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.net.http, table: self.wasi.ctx().table, hooks: &mut self.net.hooks }
    }
}
