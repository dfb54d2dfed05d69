//! One program for many tests: its first argument says what to do, as a multi-call binary does.
//!
//! It is built for WASI 0.1, for WASI 0.2 and natively, so that a pod of runc does the very same work.

mod files;

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::{self, IsTerminal, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Err(problem) = run(&words) {
        eprintln!("guest: {problem}");
        process::exit(1);
    }
}

fn run(words: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    match words {
        [] | ["hello"] => println!("hello from the guest"),
        ["exit", code] => process::exit(code.parse()?),
        ["echo", rest @ ..] => println!("{}", rest.join(" ")),
        ["both", out, err] => {
            println!("{out}");
            eprintln!("{err}");
        }
        ["args"] | ["args", ..] => env::args().for_each(|argument| println!("{argument}")),
        ["env"] => env::vars().for_each(|(name, value)| println!("{name}={value}")),
        ["cwd"] => println!("{}", env::current_dir()?.display()),
        ["cat"] => {
            io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
        }
        ["tty"] => println!(
            "{} {} {}",
            io::stdin().is_terminal(),
            io::stdout().is_terminal(),
            io::stderr().is_terminal()
        ),
        ["spam", bytes] => spam(bytes.parse()?, true)?,
        ["spam-no-newline", bytes] => spam(bytes.parse()?, false)?,
        ["write", path, text] => fs::write(path, text)?,
        ["append", path, text] => {
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)?
                .write_all(text.as_bytes())?;
        }
        ["read", paths @ ..] => {
            for path in paths {
                io::stdout().write_all(&fs::read(path)?)?;
            }
        }
        ["list", paths @ ..] => list(paths)?,
        ["links", paths @ ..] => {
            for path in paths {
                println!("{}", fs::read_link(path)?.display());
            }
        }
        ["remove", path] => fs::remove_file(path)?,
        ["try", operations @ ..] => files::attempt(operations),
        ["open-many", path, count] => files::open_many(path, count.parse()?)?,
        ["hold", path, count] => files::hold(path, count.parse()?)?,
        ["many", path, count] => files::many(path, count.parse()?)?,
        ["deep", path] => files::deep(path),
        ["fill", path] => files::fill(path)?,
        ["swap", path, target, name] => files::swap(path, target, name)?,
        ["chase", path, times] => files::chase(path, times.parse()?),
        ["bench-files", path, count] => files::bench(path, count.parse()?)?,
        // Says that it runs, then works without ever calling the host.
        ["spin"] => {
            println!("spinning");
            spin();
        }
        // Works for so many steps, without calling the host in between.
        ["count", steps] => println!("{}", count(steps.parse()?)),
        ["sleep"] => {
            println!("sleeping");
            loop {
                thread::sleep(Duration::from_secs(3600));
            }
        }
        ["sleep", milliseconds] => {
            thread::sleep(Duration::from_millis(milliseconds.parse()?));
            println!("slept");
        }
        // A line every so often, for ever: for what outlives a restart of containerd.
        ["tick", milliseconds] => tick(Duration::from_millis(milliseconds.parse()?))?,
        ["unreachable"] => process::abort(),
        ["panic"] => panic!("a guest that panics"),
        ["overflow"] => println!("{}", deeper(1)),
        ["hog", mebibytes] => hog(mebibytes.parse()?)?,
        ["hold", mebibytes] => hold(mebibytes.parse()?),
        ["clock"] => clock(),
        ["random"] => random()?,
        ["tcp-serve", port] => tcp_serve(port.parse()?)?,
        ["tcp-connect", address, text] => tcp_connect(address, text)?,
        ["udp-serve", port] => udp_serve(port.parse()?)?,
        // Says that it runs, then waits for a datagram that never comes.
        ["udp-wait"] => udp_wait()?,
        ["udp-send", address, text] => udp_send(address, text)?,
        ["resolve", name] => resolve(name)?,
        ["listen-many", count] => listen_many(count.parse()?),
        unknown => return Err(format!("no such command: {}", unknown.join(" ")).into()),
    }
    Ok(())
}

/// Lines of 64 bytes, numbered, `bytes` in all; the last one may lack its newline.
fn spam(bytes: usize, newline: bool) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut written = 0;
    let mut number = 0;
    while written < bytes {
        let line = format!("{number:010} {}\n", "x".repeat(52));
        let mut take = line.len().min(bytes - written);
        if !newline && written + take == bytes {
            take -= usize::from(line.as_bytes()[take - 1] == b'\n');
            out.write_all(&line.as_bytes()[..take])?;
            break;
        }
        out.write_all(&line.as_bytes()[..take])?;
        written += take;
        number += 1;
    }
    out.flush()
}

fn list(paths: &[&str]) -> io::Result<()> {
    for path in paths {
        let mut names: Vec<String> = fs::read_dir(path)?
            .map(|entry| entry.map(|found| found.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()?;
        names.sort();
        println!("{path}: {}", names.join(" "));
    }
    Ok(())
}

fn spin() -> ! {
    let mut counter: u64 = 0;
    loop {
        counter = black_box(counter.wrapping_add(1));
    }
}

fn count(steps: u64) -> u64 {
    (0..steps).fold(0, |sum, step| black_box(sum ^ step))
}

fn tick(pause: Duration) -> io::Result<()> {
    for number in 0_u64.. {
        println!("tick {number}");
        io::stdout().flush()?;
        thread::sleep(pause);
    }
    Ok(())
}

/// Never returns: each call keeps something on the stack.
#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let kept = black_box([depth; 64]);
    deeper(depth + 1) + kept[63]
}

fn hog(mebibytes: usize) -> io::Result<()> {
    let mut held = Vec::new();
    for number in 1..=mebibytes {
        held.push(vec![black_box(1_u8); 1 << 20]);
        println!("{number} MiB");
        io::stdout().flush()?;
    }
    black_box(&held);
    Ok(())
}

/// Holds so much memory for ever.
fn hold(mebibytes: usize) -> ! {
    let held = vec![black_box(1_u8); mebibytes << 20];
    println!("held");
    loop {
        thread::sleep(Duration::from_secs(3600));
        black_box(&held);
    }
}

fn clock() {
    let before = Instant::now();
    thread::sleep(Duration::from_millis(20));
    println!(
        "monotonic {}",
        before.elapsed() >= Duration::from_millis(20)
    );
    println!(
        "realtime {}",
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    );
}

/// The standard library seeds its hash maps from the host's random source.
fn random() -> Result<(), Box<dyn std::error::Error>> {
    use std::hash::{BuildHasher, RandomState};
    println!("{:016x}", RandomState::new().hash_one(0));
    Ok(())
}

/// Sends back what comes, a connection after the other.
fn tcp_serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    println!("listening");
    loop {
        let (mut stream, peer) = listener.accept()?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text)?;
        stream.write_all(&text)?;
        println!("{} bytes from {}", text.len(), peer.ip());
    }
}

fn tcp_connect(address: &str, text: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(text.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("{answer}");
    Ok(())
}

fn udp_serve(port: u16) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
    println!("listening");
    let mut datagram = [0; 1500];
    loop {
        let (length, peer) = socket.recv_from(&mut datagram)?;
        socket.send_to(&datagram[..length], peer)?;
        println!("{length} bytes from {}", peer.ip());
    }
}

fn udp_send(address: &str, text: &str) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(address)?;
    socket.send(text.as_bytes())?;
    let mut datagram = [0; 1500];
    let length = socket.recv(&mut datagram)?;
    println!("{}", String::from_utf8_lossy(&datagram[..length]));
    Ok(())
}

fn udp_wait() -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("waiting");
    socket.recv(&mut [0; 1])?;
    Ok(())
}

/// One line for each address, sorted.
fn resolve(name: &str) -> io::Result<()> {
    let mut addresses: Vec<String> = (name, 0)
        .to_socket_addrs()?
        .map(|address| address.ip().to_string())
        .collect();
    addresses.sort();
    addresses.dedup();
    println!("{}", addresses.join("\n"));
    Ok(())
}

/// Opens sockets until it has so many or is refused one, and says how many it has.
fn listen_many(count: usize) {
    let mut held = Vec::new();
    while held.len() < count {
        match TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)) {
            Ok(listener) => held.push(listener),
            Err(problem) => {
                println!("{} sockets, then: {problem}", held.len());
                return;
            }
        }
    }
    println!("{} sockets", held.len());
}
