//! wasi:sockets/ip-name-lookup by the guest's own resolver.
//!
//! wasmtime-wasi's would ask the node's servers from the node's namespace. It is replaced whole, its resource too.

use super::names::{Asked, NameError};
use super::{Network, SOCKETS_VERSION};
use crate::host::Host;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::vec;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network as NetworkHandle, Pollable, subscribe};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi::sockets::WasiSocketsView;

/// What the lookup of a name takes of the host while it goes on: about this, in bytes.
const LOOKUP: u64 = 8 << 10;

/// Puts the functions of this file before those that `linker` has. Shadowing must be allowed.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut lookup = linker.instance(&format!("wasi:sockets/ip-name-lookup@{SOCKETS_VERSION}"))?;
    lookup.resource("resolve-address-stream", ResourceType::host::<Addresses>(), |mut store, rep| {
        store.data_mut().sockets().table.delete(Resource::<Addresses>::new_own(rep))?;
        Ok(())
    })?;
    lookup.func_wrap("resolve-addresses", |mut store, (handle, name): (Resource<NetworkHandle>, String)| {
        Ok((store.data_mut().resolve_addresses(&handle, &name)?,))
    })?;
    lookup.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store, (stream,): (Resource<Addresses>,)| Ok((store.data_mut().sockets().table.get_mut(&stream)?.next(),)),
    )?;
    lookup.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store, (stream,): (Resource<Addresses>,)| -> wasmtime::Result<(Resource<DynPollable>,)> {
            Ok((subscribe(store.data_mut().sockets().table, stream)?,))
        },
    )
}

impl Host {
    fn resolve_addresses(
        &mut self,
        handle: &Resource<NetworkHandle>,
        name: &str,
    ) -> wasmtime::Result<Result<Resource<Addresses>, ErrorCode>> {
        let network = self.net.network.clone();
        let table = self.sockets().table;
        // The handle is the right to resolve; it says nothing else.
        table.get(handle)?;
        Ok(match Addresses::of(network, name) {
            Ok(addresses) => Ok(table.push(addresses)?),
            Err(code) => Err(code),
        })
    }
}

/// The addresses of a name, given out one by one.
enum Addresses {
    Asking(AbortOnDropJoinHandle<Result<Vec<IpAddr>, NameError>>),
    Known(Result<vec::IntoIter<IpAddr>, NameError>),
}

impl Addresses {
    fn of(network: Option<Arc<Network>>, name: &str) -> Result<Self, ErrorCode> {
        let network = network.ok_or(ErrorCode::AccessDenied)?;
        let asked = Asked::parse(name).map_err(|error| code(&error))?;
        if let Some(name) = asked.name()
            && !network.may_name("resolve", name, None)
        {
            return Err(ErrorCode::AccessDenied);
        }
        if let Some(addresses) = asked.known() {
            return Ok(Self::Known(Ok(addresses.into_iter())));
        }
        let tasks = network.tasks.clone();
        let asking = tasks.holding(LOOKUP, async move { network.resolve(&asked).await });
        let asking = asking.map_err(|_| ErrorCode::OutOfMemory)?;
        Ok(Self::Asking(spawn(async move { asking.await.unwrap_or(Err(NameError::Temporary(None))) })))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<&mut Result<vec::IntoIter<IpAddr>, NameError>> {
        if let Self::Asking(asking) = self {
            let Poll::Ready(answer) = Pin::new(asking).poll(context) else { return Poll::Pending };
            *self = Self::Known(answer.map(Vec::into_iter));
        }
        match self {
            Self::Known(known) => Poll::Ready(known),
            Self::Asking(_) => Poll::Pending,
        }
    }

    fn next(&mut self) -> Result<Option<IpAddress>, ErrorCode> {
        match self.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(addresses)) => Ok(addresses.next().map(|ip| ip.to_canonical().into())),
            Poll::Ready(Err(error)) => Err(code(error)),
            Poll::Pending => Err(ErrorCode::WouldBlock),
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {
        poll_fn(|context| self.poll(context).map(|_| ())).await;
    }
}

fn code(error: &NameError) -> ErrorCode {
    match error {
        NameError::Invalid => ErrorCode::InvalidArgument,
        NameError::Unresolvable(_) => ErrorCode::NameUnresolvable,
        NameError::Temporary(_) => ErrorCode::TemporaryResolverFailure,
        NameError::Permanent(_) => ErrorCode::PermanentResolverFailure,
    }
}
