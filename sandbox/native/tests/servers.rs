//! Guests that serve HTTP, over real sockets; the guest is `server` of the project's test guests.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

mod common;
use atoll_engine::abi;
use bytes::Bytes;
use common::{EXITED, Engine, OUT_OF_MEMORY, SIGNALLED, call, drop_guest, kill, start, stat};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// A running server on a port of the node's loopback.
struct Server<'a> {
    engine: &'a Engine,
    guest: i64,
    port: u16,
}

fn program(engine: &Engine) -> i64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/server.p2.wasm");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}; run e2e/guests/build"));
    engine.load("server.wasm", bytes).expect("the server")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

impl<'a> Server<'a> {
    fn start(engine: &'a Engine, http: Value) -> Self {
        Self::with(engine, http, json!({}))
    }

    fn with(engine: &'a Engine, mut http: Value, mut request: Value) -> Self {
        let port = free_port();
        http["address"] = json!(format!("127.0.0.1:{port}"));
        request["http"] = http;
        request["network"] = json!({});
        request["args"] = json!(["server"]);
        let guest = engine.with_files(program(engine), request).expect("a guest");
        start(guest);
        Self { engine, guest, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        stream
    }

    /// Sends bytes on a connection of their own, and gives all that comes back.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("sent");
        let mut answer = Vec::new();
        // A server that hangs up with unread input resets the connection: what came before it counts.
        drop(stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
    }

    /// Requests answered, failed, turned away, in progress; connections; sockets, refusals; instances.
    fn figures(&self) -> [u64; 8] {
        let numbers = stat(self.guest);
        std::array::from_fn(|index| numbers[8 + index])
    }

    fn await_figures(&self, wanted: impl Fn([u64; 8]) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !wanted(self.figures()) {
            assert!(Instant::now() < deadline, "{:?}", self.figures());
            std::thread::yield_now();
        }
    }

    fn stop(&self) {
        call(abi::atoll_guest_stop, self.guest, 15, "").expect("stop");
    }

    fn errors(&self) -> String {
        self.engine.text("err")
    }

    fn await_errors(&self, wanted: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.errors().contains(wanted) {
            assert!(Instant::now() < deadline, "{:?}", self.errors());
            std::thread::yield_now();
        }
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if call(abi::atoll_guest_kill, self.guest, 9, "").is_ok() {
            self.engine.event(self.guest);
        }
        drop(call(abi::atoll_guest_drop, self.guest, 0, ""));
    }
}

/// The body of an answer; it comes in chunks where the guest was not done when its head left.
fn body(answer: &str) -> String {
    let (head, mut rest) = answer.split_once("\r\n\r\n").expect("a head");
    if !head.contains("transfer-encoding: chunked") {
        return rest.to_owned();
    }
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a length");
        body.push_str(&after[..length]);
        rest = &after[length + 2..];
    }
    body
}

/// Sends a request on a connection that is kept, and takes the whole answer.
fn exchange(stream: &mut TcpStream) {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = String::new();
    let mut part = [0; 4096];
    while !answer.ends_with("world\n") && !answer.ends_with("0\r\n\r\n") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&part[..count]));
    }
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn each_request_has_an_instance_of_its_own() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    for _ in 0..3 {
        let answer = server.get("/count");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && body(&answer).trim_end() == "1", "{answer}");
    }
    server.await_figures(|figures| figures == [3, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn instances_are_used_again_where_that_was_asked_for() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"reuseRequests": 2}));
    let counts: Vec<String> = (0..3).map(|_| body(&server.get("/count")).trim_end().to_owned()).collect();
    assert_eq!(counts, ["1", "2", "1"]);
}

#[test]
fn idle_instances_are_ended() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"reuseRequests": 100, "reuseIdleMillis": 30}));
    server.get("/count");
    server.await_figures(|figures| figures[7] == 0);
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    let mut stream = server.connect();
    for _ in 0..3 {
        exchange(&mut stream);
    }
    assert_eq!(server.figures()[0], 3);
}

#[test]
fn a_trap_is_one_requests_failure() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    assert!(server.get("/trap").starts_with("HTTP/1.1 500 "));
    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
    server.await_errors("atoll: the guest trapped: ");
    assert_eq!(server.figures()[..2], [1, 1]);
}

#[test]
fn a_server_keeps_to_its_quota_and_is_killed_while_it_waits() {
    let engine = Engine::new();
    let quota = json!({"cpu": {"quotaMicros": 1000, "periodMicros": 1_000_000}});
    let server = Server::with(&engine, json!({}), quota);
    let mut stream = server.connect();
    stream.write_all(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let deadline = Instant::now() + DEADLINE;
    while stat(server.guest)[18] == 0 {
        assert!(Instant::now() < deadline, "{:?}", stat(server.guest));
        std::thread::yield_now();
    }

    kill(server.guest, 9);

    assert_eq!(engine.event(server.guest).kind, SIGNALLED);
    drop_guest(server.guest);
}

#[test]
fn connections_and_unread_output_are_on_the_containers_account() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    let streams: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    server.await_figures(|figures| figures[4] == 3);
    assert_eq!(stat(server.guest)[20], 3 * (16 << 10));
    assert!(stat(server.guest)[1] >= stat(server.guest)[20]);
    drop(streams);
    server.await_figures(|figures| figures[4] == 0);
    assert_eq!(stat(server.guest)[20], 0);
}

#[test]
fn a_request_that_is_not_answered_is_ended() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"requestTimeoutMillis": 100}));
    assert!(server.get("/never").starts_with("HTTP/1.1 504 "));
    assert!(server.get("/spin").starts_with("HTTP/1.1 504 "));
    server.await_figures(|figures| figures[2..5] == [2, 0, 0] && figures[7] == 0);
    server.await_errors("not answered within 100 ms");
}

#[test]
fn a_client_that_goes_away_takes_its_request_with_it() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    for path in ["/never", "/spin", "/stream?chunks=1000000&size=100000&pause=1"] {
        let mut stream = server.connect();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        server.await_figures(|figures| figures[3] == 1 && figures[7] == 1);
        drop(stream);
        server.await_figures(|figures| figures[3..5] == [0, 0] && figures[7] == 0);
    }
}

#[test]
fn beyond_the_turns_and_the_queue_clients_are_sent_away() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"maxConcurrent": 1, "maxQueued": 1, "queueTimeoutMillis": 200}));
    let mut holds = server.connect();
    holds.write_all(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.await_figures(|figures| figures[3] == 1);
    let mut waiting = [server.connect(), server.connect()];
    for stream in &mut waiting {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    }
    let answers = waiting.map(|mut stream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
        answer
    });
    // Whichever came first waited.
    let texts = answers.concat();
    assert!(texts.contains("too many requests are waiting") && texts.contains("waited for too long"), "{texts}");
}

#[test]
fn what_is_too_large_is_refused() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"maxBodyBytes": 1000, "maxHeaderBytes": 8192}));
    let body = "x".repeat(1001);
    let post = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n{body}");
    assert!(server.raw(post.as_bytes()).starts_with("HTTP/1.1 413 "));
    let header = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(20_000));
    assert!(server.raw(header.as_bytes()).starts_with("HTTP/1.1 431 "));
    assert!(server.raw(b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
}

#[test]
fn slow_clients_lose_their_connection_and_nothing_else() {
    let engine = Engine::new();
    let settings = json!({"headerTimeoutMillis": 100, "idleTimeoutMillis": 100, "stallTimeoutMillis": 100});
    let server = Server::start(&engine, settings);
    assert_eq!(server.raw(b""), "");
    assert_eq!(server.raw(b"GET / HTTP/1.1\r\nHost:"), "");
    let short = server.raw(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    assert!(short.starts_with("HTTP/1.1 408 "), "{short}");
    // A client that reads nothing of a long answer.
    let mut deaf = server.connect();
    deaf.write_all(b"GET /stream?chunks=1000&size=1000000 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.await_figures(|figures| figures[3] == 1);
    server.await_figures(|figures| figures[3..5] == [0, 0] && figures[7] == 0);
}

#[test]
fn a_head_and_the_pause_before_it_have_times_of_their_own() {
    const LONG: u64 = 3_600_000;
    let engine = Engine::new();
    // Bytes that come with the connection, or after an answer, are a head; without them it is idle.
    for (header, idle, head) in [(100, LONG, &b"GET / HT"[..]), (LONG, 100, b"")] {
        let server = Server::start(&engine, json!({"headerTimeoutMillis": header, "idleTimeoutMillis": idle}));
        for answered in [0, 1, 2].repeat(5) {
            let mut stream = server.connect();
            for _ in 0..answered {
                exchange(&mut stream);
            }
            stream.write_all(head).unwrap();
            assert_eq!(stream.read(&mut [0; 64]).expect("the end of the connection"), 0);
        }
    }
}

#[test]
fn a_head_that_comes_with_the_request_before_it_has_its_time_too() {
    let engine = Engine::new();
    let settings = json!({"headerTimeoutMillis": 100, "idleTimeoutMillis": 3_600_000});
    let server = Server::start(&engine, settings);
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", chunked] {
        let mut stream = server.connect();
        stream.write_all(format!("{request}GET / HT").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the end of the connection");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[test]
fn a_slow_body_holds_up_its_own_connection_only() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"maxConcurrent": 1, "stallTimeoutMillis": 3_600_000}));
    // Of a body whose length is known the beginning is read before a turn is taken,
    let mut short = server.connect();
    short.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\nabc").unwrap();
    server.await_figures(|figures| figures[4] == 1);
    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
    // and who sends the rest too slowly loses the turn to those who want it, as does one whose length is not known.
    let mut long = server.connect();
    long.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n").unwrap();
    long.write_all(&[b'x'; 100_000]).unwrap();
    server.await_figures(|figures| figures[3] == 1);
    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
    let mut chunked = server.connect();
    chunked.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    server.await_figures(|figures| figures[3] == 1);
    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_slow_body_has_its_time_while_nobody_else_wants_the_turn() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"maxConcurrent": 2}));
    let mut slow = server.connect();
    slow.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\nConnection: close\r\n\r\n").unwrap();
    slow.write_all(&[b'x'; 100_000]).unwrap();
    server.await_figures(|figures| figures[3] == 1);
    // Longer than the grace.
    assert!(server.get("/sleep?ms=2500").starts_with("HTTP/1.1 200 "));
    slow.write_all(b"x").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(body(&answer).len(), 100_001);
}

#[test]
fn bodies_and_trailers_stream_both_ways() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    let mut stream = server.connect();
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    // The first chunk comes back before the second is sent.
    while !String::from_utf8_lossy(&answer).contains("abc") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..count]);
    }
    stream.write_all(b"3\r\ndef\r\n0\r\nX-Sum: 6\r\n\r\n").unwrap();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("def"), "{text}");
}

#[test]
fn a_server_that_is_stopped_answers_what_it_was_asked() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"drainMillis": 300}));
    let mut slow = server.connect();
    slow.write_all(b"GET /sleep?ms=600 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut kept = server.connect();
    kept.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut head = [0; 4096];
    let count = kept.read(&mut head).unwrap();
    assert!(!String::from_utf8_lossy(&head[..count]).contains("connection: close"));
    server.await_figures(|figures| figures[3] == 1);
    server.stop();
    // New clients and open connections are answered once more, and told to go elsewhere.
    let fresh = server.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(fresh.starts_with("HTTP/1.1 200 ") && fresh.contains("connection: close"), "{fresh}");
    kept.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut last = String::new();
    kept.read_to_string(&mut last).unwrap();
    assert!(last.contains("connection: close"), "{last}");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let event = engine.event(server.guest);
    assert_eq!((event.kind, event.code), (EXITED, 0));
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn a_server_is_killed_at_once() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"reuseRequests": 9}));
    server.get("/");
    let mut stream = server.connect();
    stream.write_all(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.await_figures(|figures| figures[3] == 1);
    server.stop();
    kill(server.guest, 9);
    let event = engine.event(server.guest);
    assert_eq!((event.kind, event.code), (SIGNALLED, 9));
    assert_eq!(server.figures()[3..], [0, 0, 0, 0, 0]);
    assert_eq!(engine.describe()["live"], 0);
}

#[test]
fn crossing_the_memory_limit_ends_the_server() {
    let engine = Engine::new();
    let server = Server::with(&engine, json!({}), json!({"memoryLimit": 16 << 20}));
    server.get("/hog?mib=64");
    assert_eq!(engine.event(server.guest).kind, OUT_OF_MEMORY);
}

#[test]
fn a_port_that_is_taken_is_refused_at_the_start_in_words() {
    let engine = Engine::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (address, wanted) in
        [(format!("127.0.0.1:{port}"), "something else in the pod"), (format!("192.0.2.1:{port}"), "no such address")]
    {
        let request = json!({"network": {}, "http": {"address": address}});
        let guest = engine.guest(program(&engine), &request).unwrap();
        let (_, text) = call(abi::atoll_guest_start, guest, 0, "").expect_err("taken");
        assert!(text.contains(wanted), "{text}");
        drop_guest(guest);
    }
    let request = json!({"network": {}, "http": {"address": "localhost:80"}});
    assert!(engine.guest(program(&engine), &request).unwrap_err().contains("no IP address"));
    assert!(engine.guest(program(&engine), &json!({})).unwrap_err().contains("no network"));
}

#[test]
fn work_after_the_response_goes_on_without_the_client() {
    let engine = Engine::new();
    let root = engine.path("root");
    std::fs::create_dir(&root).unwrap();
    let view = engine.view(&json!({"rootDirectory": root})).unwrap();
    let server = Server::with(&engine, json!({}), json!({"view": view}));
    assert!(server.get("/after?ms=50&path=/done").starts_with("HTTP/1.1 200 "));
    let deadline = Instant::now() + DEADLINE;
    while !root.join("done").exists() {
        assert!(Instant::now() < deadline, "{}", server.errors());
        std::thread::yield_now();
    }
}

#[test]
fn ports_of_two_fresh_networks_do_not_meet() {
    let engine = Engine::new();
    let program = program(&engine);
    let request = json!({"network": {"fresh": true}, "http": {"address": ":80"}});
    let guests = [(); 2].map(|()| engine.guest(program, &request).unwrap());
    for guest in guests {
        start(guest);
    }
    for guest in guests {
        kill(guest, 9);
    }
    for guest in guests {
        assert_eq!(engine.event(guest).kind, SIGNALLED);
        drop_guest(guest);
    }
}

type Http2 = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

/// A client of HTTP/2, whose connection has a task of its own.
async fn http2(server: &Server<'_>) -> (Http2, tokio::task::JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (client, tokio::spawn(connection))
}

/// The status and body of the answer to a request on `path`.
async fn ask(client: &mut Http2, path: &str) -> hyper::Result<(u16, Bytes)> {
    let request = hyper::Request::get(format!("http://a{path}")).body(Empty::new()).unwrap();
    let answer = client.send_request(request).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await.expect("within the deadline") })
}

#[test]
fn requests_of_http2_yield_and_are_on_the_guests_bill() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"requestTimeoutMillis": 300}));
    in_runtime(async {
        let (mut client, _connection) = http2(&server).await;
        let mut other = client.clone();
        let (spinning, answered) = tokio::join!(ask(&mut client, "/spin"), ask(&mut other, "/"));
        assert_eq!((spinning.unwrap().0, answered.unwrap().0), (504, 200));
    });
    let cpu = stat(server.guest)[0];
    assert!(cpu > 100_000_000, "{cpu} ns for 300 ms of work");
}

#[test]
fn a_server_that_is_killed_takes_requests_of_http2_with_it() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({}));
    in_runtime(async {
        let (mut client, _connection) = http2(&server).await;
        let asking = tokio::spawn(async move { ask(&mut client, "/spin").await });
        while server.figures()[3] == 0 {
            tokio::task::yield_now().await;
        }
        kill(server.guest, 9);
        assert!(asking.await.unwrap().is_err());
    });
    assert_eq!(engine.event(server.guest).kind, SIGNALLED);
    server.await_figures(|figures| figures[7] == 0);
}

#[test]
fn clients_of_http2_lose_nothing_when_a_server_is_stopped() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"drainMillis": 300}));
    in_runtime(async {
        let (mut client, connection) = http2(&server).await;
        let mut slow = client.clone();
        let slow = tokio::spawn(async move { ask(&mut slow, "/sleep?ms=600").await });
        while server.figures()[3] == 0 {
            tokio::task::yield_now().await;
        }
        server.stop();
        // What is asked before the client knows is answered; then it makes no further request, and nothing is lost.
        let mut answered = 0;
        loop {
            match ask(&mut client, "/").await {
                Ok((status, _)) => assert_eq!(status, 200),
                Err(error) => {
                    assert!(error.is_canceled(), "{error:?}");
                    break;
                }
            }
            answered += 1;
        }
        assert_eq!(slow.await.unwrap().unwrap(), (200, Bytes::from_static(b"slept\n")));
        connection.await.unwrap().unwrap();
        assert_eq!(server.figures()[0], answered + 1);
    });
    let event = engine.event(server.guest);
    assert_eq!((event.kind, event.code), (EXITED, 0));
}

#[test]
fn a_client_of_http2_that_acknowledges_nothing_does_not_hold_up_the_end() {
    let engine = Engine::new();
    let server = Server::start(&engine, json!({"drainMillis": 100}));
    let mut silent = server.connect();
    silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    // The server's own settings: it has understood.
    assert!(silent.read(&mut [0; 9]).unwrap() > 0);
    let begin = Instant::now();
    server.stop();
    let event = engine.event(server.guest);
    assert_eq!((event.kind, event.code), (EXITED, 0));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
