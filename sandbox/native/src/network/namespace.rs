//! The network namespace that a guest's sockets are made in.
//!
//! A socket belongs to the namespace of the thread that makes it, for good. So a worker enters the guest's namespace for the
//! one call that makes a socket, and goes back at once; bind, listen, connect and accept need nothing more.

use crate::failure::{Failure, Result};
use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, OnceLock};

/// The namespace that this process was started in, which every thread of it is in outside of [`Namespace::inside`].
static HOME: OnceLock<Arc<OwnedFd>> = OnceLock::new();

/// A network namespace. The descriptor keeps it alive.
pub(crate) enum Namespace {
    /// The node's own.
    Node,
    Other {
        there: OwnedFd,
        home: Arc<OwnedFd>,
    },
}

impl Namespace {
    /// The namespace at `path`, such as `/run/netns/x`; whichever it is, it is not the node's to its guests.
    pub fn open(path: &str) -> Result<Self> {
        let failed = |error| Failure::io(format!("cannot open the pod's network namespace {path:?}"), error);
        let there = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
        let namespace = Self::Other { there, home: home()? };
        // Whatever is no network namespace is refused here, not at the first socket.
        namespace.inside(|| ()).map_err(|error| {
            Failure::invalid(format!("cannot enter {path:?}: {error}; expected a network namespace"))
        })?;
        Ok(namespace)
    }

    /// A new namespace with nothing but its own loopback device, which is up.
    pub fn fresh() -> Result<Self> {
        let home = home()?;
        let made = std::thread::scope(|scope| {
            let make = || -> io::Result<OwnedFd> {
                // SAFETY: only this thread, which ends right after, leaves the namespace it shares with the process;
                // no other resource is unshared.
                unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
                bring_loopback_up()?;
                Ok(open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
            };
            let thread = std::thread::Builder::new().name("atoll-network".into()).spawn_scoped(scope, make)?;
            thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
        });
        let there = made.map_err(|error| Failure::io("cannot make a network namespace", error))?;
        Ok(Self::Other { there, home })
    }

    pub fn is_node(&self) -> bool {
        matches!(self, Self::Node)
    }

    /// Runs `work`, which makes sockets, inside the namespace. It must neither wait nor run guest code; the calling
    /// thread is back home when this returns, also if `work` panics.
    pub fn inside<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        let Self::Other { there, home } = self else { return Ok(work()) };
        let kind = Some(LinkNameSpaceType::Network);
        // SAFETY (of the namespace change): setns changes the calling thread alone. The guard brings it back before
        // anything else runs on it, since `work` does not await; if that fails the process ends, because a worker in
        // a pod's namespace would make the next guest's sockets there.
        move_into_link_name_space(there.as_fd(), kind)?;
        let _back = Home(home);
        Ok(work())
    }
}

/// Goes home when dropped.
struct Home<'a>(&'a OwnedFd);

impl Drop for Home<'_> {
    fn drop(&mut self) {
        if let Err(error) = move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network)) {
            eprintln!("level=error msg=\"a worker cannot leave a pod's network namespace; ending\" error={error:?}");
            std::process::abort();
        }
    }
}

fn home() -> Result<Arc<OwnedFd>> {
    if let Some(home) = HOME.get() {
        return Ok(home.clone());
    }
    // The main thread's: it never enters another.
    let opened = open("/proc/self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Failure::io("cannot open the node's network namespace", error))?;
    Ok(HOME.get_or_init(|| Arc::new(opened)).clone())
}

/// As `ip link set lo up`: netdevice(7).
fn bring_loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)?;
    // SAFETY: ifreq is plain data, for which all zeroes are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = 'l' as libc::c_char;
    request.ifr_name[1] = 'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or_default();
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which lives until the call returns.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
