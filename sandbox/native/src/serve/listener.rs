//! The listening socket of a server, made in the pod's network namespace.

use super::settings::Address;
use crate::failure::{Failure, Result};
use crate::network::Network;
use rustix::net::sockopt::set_ipv6_v6only;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// Listens. Must be called inside the runtime's context.
pub(crate) fn listen(network: &Network, address: Address) -> Result<TcpListener> {
    let listening = match address {
        Address::One(address) => one(network, address),
        Address::Everywhere(port) => {
            one(network, (Ipv6Addr::UNSPECIFIED, port).into()).or_else(|error| match error.raw_os_error() {
                // A kernel or a pod without IPv6.
                Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => one(network, (Ipv4Addr::UNSPECIFIED, port).into()),
                _ => Err(error),
            })
        }
    };
    listening.map_err(|error| {
        let advice = match error.raw_os_error() {
            Some(libc::EADDRINUSE) => {
                "; something else in the pod listens there already: set the environment variable PORT to another port"
            }
            Some(libc::EADDRNOTAVAIL) => "; the pod has no such address: leave the host out to listen on all of them",
            _ => "",
        };
        let failure = Failure::io(format!("cannot listen on {address}"), error);
        Failure::new(failure.code, failure.text + advice)
    })
}

fn one(network: &Network, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = network.namespace.inside(|| match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    })??;
    if address.is_ipv6() && address.ip().is_unspecified() {
        set_ipv6_v6only(&socket, false)?;
    }
    // A server that is started again must not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whether an accept that failed says nothing about the listener: accept(2) gives errors of the connection, too.
pub(crate) fn is_of_connection(error: &io::Error) -> bool {
    !matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// Accepts what is there, without waiting.
pub(crate) fn accept_now(listener: &TcpListener) -> Option<tokio::net::TcpStream> {
    let mut context = Context::from_waker(std::task::Waker::noop());
    loop {
        match listener.poll_accept(&mut context) {
            Poll::Ready(Ok((stream, _))) => return Some(stream),
            Poll::Ready(Err(error)) if is_of_connection(&error) => {}
            Poll::Ready(Err(_)) | Poll::Pending => return None,
        }
    }
}
