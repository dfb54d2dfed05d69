//! Commands that use the network, of which a program of WASI 0.1 has none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs};

use super::text::all_of;
use crate::process::{Outcome, Process, about};

/// Each address of a name, one a line.
pub fn nslookup(process: &Process) -> Outcome {
    let [name, ..] = process.arguments else {
        return Err("a name is missing".into());
    };
    let mut addresses: Vec<String> = (name.as_str(), 0)
        .to_socket_addrs()
        .map_err(|problem| about(name, &problem))?
        .map(|address| address.ip().to_string())
        .collect();
    addresses.sort();
    addresses.dedup();
    process.print(&format!("{}\n", addresses.join("\n")))?;
    Ok(0)
}

/// `nc HOST PORT` sends its input and prints the answer; `nc -l PORT` does so with the first client.
pub fn nc(process: &Process) -> Outcome {
    let (letters, rest) = process.options();
    let mut stream = match rest {
        [port] if letters == "l" => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port.parse()?))?
                .accept()?
                .0
        }
        [host, port] => TcpStream::connect((host.as_str(), port.parse()?))
            .map_err(|problem| about(host, &problem))?,
        _ => return Err("nc HOST PORT or nc -l PORT is wanted".into()),
    };
    stream.write_all(&all_of(&mut *process.streams.input.borrow_mut())?)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    process.streams.output.borrow_mut().write_all(&answer)?;
    Ok(0)
}

/// Prints the body of an `http://HOST[:PORT][/PATH]`; options, among them where to write to, are ignored.
pub fn wget(process: &Process) -> Outcome {
    let url = process.arguments.last().ok_or("an address is missing")?;
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| format!("{url}: only http:// is known"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut stream = TcpStream::connect(&address).map_err(|problem| about(&address, &problem))?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    skip_head(&mut reader)?;
    process
        .streams
        .output
        .borrow_mut()
        .write_all(&all_of(&mut reader)?)?;
    let status = first.split(' ').nth(1).unwrap_or("");
    if status.starts_with('2') {
        Ok(0)
    } else {
        Err(format!("{url}: {}", first.trim_end()).into())
    }
}

/// `httpd PORT` answers every request with 200 and one line, a client after the other.
pub fn httpd(process: &Process) -> Outcome {
    let port: u16 = process
        .arguments
        .first()
        .map_or(Ok(80), |text| text.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    process.print("httpd\n")?;
    process.streams.output.borrow_mut().flush()?;
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(problem) = answer(stream) {
            writeln!(process.streams.errors.borrow_mut(), "httpd: {problem}")?;
        }
    }
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    const BODY: &str = "It works\n";
    let mut reader = BufReader::new(stream);
    skip_head(&mut reader)?;
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    )?;
    stream.shutdown(Shutdown::Write)
}

fn skip_head(reader: &mut impl BufRead) -> std::io::Result<()> {
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        line.clear();
    }
    Ok(())
}
