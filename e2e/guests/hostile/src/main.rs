//! A guest that takes what it can get from the host: its first argument says what. It says how far it came, and then waits to
//! be ended, so that all that it holds is held while others are looked at.

use std::env;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Write};
use std::mem;
use std::process;
use std::thread;
use std::time::Duration;

use wasip2::cli::{stdin, stdout};
use wasip2::clocks::monotonic_clock;
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};
use wasip2::io::poll;
use wasip2::random::random;
use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::{
    instance_network, ip_name_lookup, tcp, tcp_create_socket, udp_create_socket,
};

const FOREVER: u64 = 3_600_000_000_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // Handles, each of which the host remembers.
        ["pollables"] => hoard(|| Some(monotonic_clock::subscribe_duration(FOREVER))),
        ["streams"] => hoard(|| Some((stdin::get_stdin(), stdout::get_stdout()))),
        ["fields"] => hoard(fields),
        ["requests"] => hoard(|| Some(OutgoingRequest::new(Fields::new()))),
        ["tcp-sockets"] => {
            hoard(|| tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4).ok())
        }
        ["udp-sockets"] => {
            hoard(|| udp_create_socket::create_udp_socket(IpAddressFamily::Ipv4).ok())
        }
        ["lookups", name] => hoard(|| lookup(name)),
        ["connections", address] => hoard(|| connection(address)),
        ["exchanges", authority] => hoard(|| exchange(authority)),
        ["files", path] => hoard(|| File::open(path).ok()),
        // Lengths that only a fool would take at their word.
        ["random"] => black_box(random::get_random_bytes(u64::MAX)).clear(),
        ["read-input"] => drop(black_box(stdin::get_stdin().blocking_read(u64::MAX))),
        ["read-file", path] => read_file(path),
        ["write-zeros"] => drop(stdout::get_stdout().write_zeroes(u64::MAX)),
        ["poll-many"] => poll_many(),
        // Work.
        ["spin"] => loop {
            black_box(());
        },
        ["calls"] => loop {
            black_box(monotonic_clock::now());
        },
        ["wake-ups"] => loop {
            monotonic_clock::subscribe_duration(1).block();
        },
        ["flood"] => flood(&mut io::stdout()),
        ["flood-errors"] => flood(&mut io::stderr()),
        ["rewrite", path] => rewrite(path),
        // Through the standard library, so that the allocator asks the host for memory.
        ["memory"] => hoard(|| Some(vec![black_box(1_u8); 1 << 20])),
        _ => {
            eprintln!("hostile: no such attack: {}", words.join(" "));
            process::exit(2);
        }
    }
    println!("survived");
}

/// Takes one after the other, gives none back, and says how many it has when it gets no more.
fn hoard<T>(mut take: impl FnMut() -> Option<T>) {
    let mut count: u64 = 0;
    while let Some(one) = take() {
        mem::forget(one);
        count += 1;
        if count.is_power_of_two() {
            println!("{count}");
        }
    }
    println!("{count}, and no more");
    thread::sleep(Duration::from_nanos(FOREVER));
}

/// As many headers as one object takes.
fn fields() -> Option<Fields> {
    let fields = Fields::new();
    let value = vec![b'x'; 1 << 10];
    while fields.append("x", &value).is_ok() {}
    Some(fields)
}

fn lookup(name: &str) -> Option<ip_name_lookup::ResolveAddressStream> {
    ip_name_lookup::resolve_addresses(&instance_network::instance_network(), name).ok()
}

/// Begins to connect, and does not wait for the end of it.
fn connection(address: &str) -> Option<tcp::TcpSocket> {
    let address: std::net::SocketAddrV4 = address.parse().ok()?;
    let [a, b, c, d] = address.ip().octets();
    let remote = IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: address.port(),
        address: (a, b, c, d),
    });
    let socket = tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4).ok()?;
    socket
        .start_connect(&instance_network::instance_network(), remote)
        .ok()?;
    Some(socket)
}

/// Sends a request and does not wait for an answer.
fn exchange(authority: &str) -> Option<wasip2::http::types::FutureIncomingResponse> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).ok()?;
    request.set_authority(Some(authority)).ok()?;
    request.set_path_with_query(Some("/")).ok()?;
    outgoing_handler::handle(request, None).ok()
}

fn open(path: &str, flags: DescriptorFlags) -> Option<Descriptor> {
    let directories = preopens::get_directories();
    let (root, _) = directories.iter().find(|(_, name)| name == "/")?;
    let name = path.trim_start_matches('/');
    root.open_at(PathFlags::empty(), name, OpenFlags::empty(), flags)
        .ok()
}

fn read_file(path: &str) {
    if let Some(file) = open(path, DescriptorFlags::READ) {
        // (the answer does not matter: that there is one does)
        let _ = black_box(file.read(u64::MAX, 0));
        let _ = black_box(file.read(u64::MAX, u64::MAX));
    }
}

/// The same thing a million times in one list.
fn poll_many() {
    let one = monotonic_clock::subscribe_duration(FOREVER);
    let many: Vec<&poll::Pollable> = (0..1_000_000).map(|_| &one).collect();
    black_box(poll::poll(&many));
}

fn flood(stream: &mut impl Write) {
    let line = [[b'x'; 127].as_slice(), b"\n"].concat();
    let block = line.repeat(512);
    while stream.write_all(&block).is_ok() {}
}

/// Keeps the threads for files busy.
fn rewrite(path: &str) {
    let block = vec![black_box(1_u8); 1 << 20];
    while fs::write(path, &block).is_ok() {}
}
