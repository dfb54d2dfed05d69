//! What the tests of this directory share: a namespace with an address of its own, and a name server in it.

use super::{Namespace, Network, Policy, PolicyRequest, Surroundings};
use crate::limits::{Account, Node};
use crate::view::{Template, View};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// The address that a test's servers listen on: no loopback address, so that policies look at it.
pub const SERVER: &str = "10.53.0.1";
pub const RESOLV_CONF: &str = "nameserver 10.53.0.1\nsearch a.test b.test\noptions ndots:2 timeout:1 attempts:2\n";

/// A guest's network in a fresh namespace, and the files that its view has.
pub struct World {
    pub network: Arc<Network>,
    pub account: Arc<Account>,
    files: TempDir,
}

impl World {
    /// `policy` is JSON as for `atoll_policy_new`.
    pub fn new(policy: &str, env: &[String], files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("a directory");
        std::fs::create_dir(directory.path().join("etc")).expect("etc");
        for (path, text) in files {
            std::fs::write(directory.path().join(path), text).expect(path);
        }
        let request = serde_json::json!({"rootDirectory": directory.path()});
        let request = serde_json::from_value(request).expect("a request");
        let template = Template::new().unwrap_or_else(|failure| panic!("{}", failure.text));
        let view = View::new(1, 1, &template, &request).unwrap_or_else(|failure| panic!("{}", failure.text));
        let namespace = Namespace::fresh().unwrap_or_else(|failure| panic!("{}", failure.text));
        give_address(&namespace);
        let policy: PolicyRequest = serde_json::from_str(policy).expect("a policy");
        let policy = Policy::new(policy).unwrap_or_else(|failure| panic!("{}", failure.text));
        let account = Arc::new(Account::new(&Node::new(0, 1)));
        let guest = Surroundings { name: "test", env, view: Some(Arc::new(view)), account: account.clone() };
        Self { network: Arc::new(Network::new(guest, namespace, Arc::new(policy))), account, files: directory }
    }

    /// Without a policy, with the name server at [`SERVER`].
    pub fn open() -> Self {
        Self::new(r#"{"name": "test"}"#, &[], &[("etc/resolv.conf", RESOLV_CONF)])
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::write(self.files.path().join(path), text).expect(path);
    }

    pub fn listen(&self, address: &str) -> TcpListener {
        let listen = || std::net::TcpListener::bind(address).expect("listen");
        let listener = self.network.namespace.inside(listen).expect("inside");
        listener.set_nonblocking(true).expect("nonblocking");
        TcpListener::from_std(listener).expect("a listener")
    }
}

fn give_address(namespace: &Namespace) {
    let Namespace::Other { there, .. } = namespace else { panic!("the node's namespace") };
    let path = format!("--net=/proc/{}/fd/{}", std::process::id(), there.as_raw_fd());
    for arguments in [
        ["addr", "add", "10.53.0.1/32", "dev", "lo"],
        ["addr", "add", "fe80::53/64", "dev", "lo"],
        ["route", "add", "192.0.2.0/24", "dev", "lo"],
    ] {
        let done = Command::new("nsenter").arg(&path).arg("ip").args(arguments).status().expect("nsenter");
        assert!(done.success(), "ip {arguments:?}");
    }
}

/// What the name server answers.
#[derive(Clone)]
pub enum Answer {
    Addresses(Vec<IpAddr>),
    /// With this response code and no address.
    Code(u8),
    /// Only over TCP; UDP says that it was cut.
    Long(Vec<IpAddr>),
    Nothing,
}

pub fn addresses(texts: &[&str]) -> Answer {
    Answer::Addresses(texts.iter().map(|text| text.parse().expect("an address")).collect())
}

/// A name server; it answers with what `answers` gives for a name and whether IPv6 was asked for.
pub struct NameServer {
    /// "NAME A", "NAME AAAA", with " TCP" where it was that.
    pub asked: Arc<Mutex<Vec<String>>>,
}

type Answers = Arc<dyn Fn(&str, bool) -> Answer + Send + Sync>;

impl NameServer {
    pub fn start(world: &World, address: &str, answers: impl Fn(&str, bool) -> Answer + Send + Sync + 'static) -> Self {
        let literal = if address.contains(':') { format!("[{address}]:53") } else { format!("{address}:53") };
        let address: SocketAddr = literal.parse().expect("an address");
        let bind = || std::net::UdpSocket::bind(address).expect("bind");
        let socket = world.network.namespace.inside(bind).expect("inside");
        socket.set_nonblocking(true).expect("nonblocking");
        let socket = UdpSocket::from_std(socket).expect("a socket");
        let listener = world.listen(&address.to_string());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let answers: Answers = Arc::new(answers);
        tokio::spawn(over_udp(socket, asked.clone(), answers.clone()));
        tokio::spawn(over_tcp(listener, asked.clone(), answers));
        Self { asked }
    }

    pub fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().expect("asked"));
        asked.sort();
        asked
    }
}

async fn over_udp(socket: UdpSocket, asked: Arc<Mutex<Vec<String>>>, answers: Answers) {
    let mut buffer = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.expect("receive");
        if let Some(answer) = reply(&buffer[..length], false, &asked, &answers) {
            socket.send_to(&answer, from).await.expect("send");
        }
    }
}

async fn over_tcp(listener: TcpListener, asked: Arc<Mutex<Vec<String>>>, answers: Answers) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let (asked, answers) = (asked.clone(), answers.clone());
        tokio::spawn(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut query = vec![0; length.into()];
                stream.read_exact(&mut query).await.expect("a query");
                if let Some(answer) = reply(&query, true, &asked, &answers) {
                    stream.write_u16(u16::try_from(answer.len()).expect("short")).await.expect("write");
                    stream.write_all(&answer).await.expect("write");
                }
            }
        });
    }
}

/// RFC 1035, as little of it as it takes.
fn reply(query: &[u8], tcp: bool, asked: &Mutex<Vec<String>>, answers: &Answers) -> Option<Vec<u8>> {
    let (mut name, mut at) = (String::new(), 12);
    while query[at] != 0 {
        let label = &query[at + 1..=at + usize::from(query[at])];
        name = format!("{name}{}{}", if name.is_empty() { "" } else { "." }, String::from_utf8_lossy(label));
        at += 1 + label.len();
    }
    let v6 = query[at + 2] == 28;
    let kind = if v6 { "AAAA" } else { "A" };
    asked.lock().expect("asked").push(format!("{name} {kind}{}", if tcp { " TCP" } else { "" }));
    let (code, cut, list) = match answers(&name.to_ascii_lowercase(), v6) {
        Answer::Addresses(list) => (0, false, list),
        Answer::Code(code) => (code, false, Vec::new()),
        Answer::Long(list) if tcp => (0, false, list),
        Answer::Long(_) => (0, true, Vec::new()),
        Answer::Nothing => return None,
    };
    let list: Vec<IpAddr> = list.into_iter().filter(|ip| ip.is_ipv6() == v6).collect();
    let mut answer = query[..2].to_vec();
    answer.extend([0x81 | if cut { 2 } else { 0 }, 0x80 | code, 0, 1]);
    answer.extend(u16::try_from(list.len()).expect("few").to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(&query[12..at + 5]);
    for ip in list {
        let data = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        answer.extend([0xc0, 12, 0, if v6 { 28 } else { 1 }, 0, 1, 0, 0, 0, 60, 0]);
        answer.push(u8::try_from(data.len()).expect("short"));
        answer.extend(data);
    }
    Some(answer)
}
