//! wasi:sockets in the guest's namespace, under its policy and its quota.
//!
//! wasmtime-wasi's own implementation does all the work. Here the functions that make a socket are put before it: they check
//! the quota and enter the namespace. The resources' destructors are replaced too, since they end what the quota counts.

use super::{Network, SOCKETS_VERSION, StoreSockets};
use crate::host::Host;
use crate::quota::Quota;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceType};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{network, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{SocketError, SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsView};

/// Puts the functions of this file before those that `linker` has. Shadowing must be allowed.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    tcp_create_socket::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)?;
    udp_create_socket::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)?;
    linker.instance(&format!("wasi:sockets/tcp@{SOCKETS_VERSION}"))?.resource(
        "tcp-socket",
        ResourceType::host::<TcpSocket>(),
        |mut store, rep| {
            store.data_mut().sockets().table.delete(Resource::<TcpSocket>::new_own(rep))?;
            store.data().net.sockets.give_back();
            Ok(())
        },
    )?;
    linker.instance(&format!("wasi:sockets/udp@{SOCKETS_VERSION}"))?.resource(
        "udp-socket",
        ResourceType::host::<UdpSocket>(),
        |mut store, rep| {
            store.data_mut().sockets().table.delete(Resource::<UdpSocket>::new_own(rep))?;
            store.data().net.sockets.give_back();
            Ok(())
        },
    )
}

/// Lets the context's sockets reach what the policy allows, or nothing where there is no network.
pub(crate) fn give(wasi: &mut WasiCtxBuilder, network: Option<&Arc<Network>>) -> Arc<StoreSockets> {
    let Some(network) = network else {
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        return Arc::new(StoreSockets::new(Arc::new(Quota::new(0))));
    };
    let held = Arc::new(StoreSockets::new(network.sockets.clone()));
    let (reachable, sockets) = (network.clone(), held.clone());
    wasi.allow_tcp(true).allow_udp(true).allow_ip_name_lookup(true);
    wasi.socket_addr_check(move |address, purpose| {
        let allowed = is_allowed(&reachable, &sockets, address, purpose);
        Box::pin(std::future::ready(allowed))
    });
    held
}

fn is_allowed(network: &Network, sockets: &StoreSockets, address: SocketAddr, purpose: SocketAddrUse) -> bool {
    match purpose {
        SocketAddrUse::TcpConnect => network.may_reach("tcp-connect", address),
        SocketAddrUse::UdpSend => network.may_reach("udp-send", address),
        // A connection that was accepted is one more socket.
        SocketAddrUse::TcpAccept => {
            let taken = sockets.take();
            if !taken {
                network.out_of_sockets("tcp-accept");
            }
            taken
        }
        // The policy is on outgoing traffic: what may come in is NetworkPolicy's, and the kernel's.
        SocketAddrUse::TcpBind | SocketAddrUse::TcpListen | SocketAddrUse::UdpBind | SocketAddrUse::UdpReceive => true,
    }
}

impl Host {
    /// The network to make a socket in, with one socket taken from the quota.
    fn network_for_socket(&self, doing: &str) -> SocketResult<Arc<Network>> {
        let Some(network) = &self.net.network else { return Err(ErrorCode::AccessDenied.into()) };
        if !self.net.sockets.take() {
            network.out_of_sockets(doing);
            return Err(ErrorCode::NewSocketLimit.into());
        }
        Ok(network.clone())
    }
}

// Errors and the network handle are wasmtime-wasi's; the functions above go with them.
impl network::Host for Host {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        network::Host::convert_error_code(&mut self.sockets(), error)
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.sockets(), error)
    }
}

impl network::HostNetwork for Host {
    fn drop(&mut self, handle: Resource<network::Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), handle)
    }
}

impl tcp_create_socket::Host for Host {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let network = self.network_for_socket("tcp-create")?;
        let mut view = self.sockets();
        let made = match network.namespace.inside(|| tcp_create_socket::Host::create_tcp_socket(&mut view, family)) {
            Ok(made) => made,
            Err(error) => Err(error.into()),
        };
        made.inspect_err(|_| self.net.sockets.give_back())
    }
}

impl udp_create_socket::Host for Host {
    async fn create_udp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        let network = self.network_for_socket("udp-create")?;
        let mut view = self.sockets();
        let made = {
            let mut making = pin!(udp_create_socket::Host::create_udp_socket(&mut view, family));
            // The first poll makes the socket; what it then waits for is its readiness.
            let mut first = true;
            poll_fn(|context| {
                let mut poll = |making: Pin<&mut _>| Future::poll(making, context);
                if !std::mem::take(&mut first) {
                    return poll(making.as_mut());
                }
                match network.namespace.inside(|| poll(making.as_mut())) {
                    Ok(polled) => polled,
                    Err(error) => Poll::Ready(Err(error.into())),
                }
            })
            .await
        };
        made.inspect_err(|_| self.net.sockets.give_back())
    }
}
