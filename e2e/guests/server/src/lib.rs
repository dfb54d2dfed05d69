//! An HTTP server for many tests: the path says what to do with the request.
//!
//! | path | does |
//! | --- | --- |
//! | `/` | answers twelve bytes, and nothing else: what benchmarks ask for |
//! | `/echo` | sends back the body as it comes, its trailers, and the headers `content-type` and `x-...` |
//! | `/headers` | answers the request line, the authority and all headers |
//! | `/status/NNN` | answers with that status |
//! | `/trailers` | answers with a trailer |
//! | `/stream?chunks=N&size=M&pause=MS` | answers N times M bytes of `x`, with pauses |
//! | `/sleep?ms=N&path=P` | waits, writes the file P if there is one, answers |
//! | `/after?ms=N&path=P` | answers, waits, writes the file |
//! | `/never`, `/spin` | never answers, waiting or working |
//! | `/trap`, `/trap-late` | traps before, or in the midst of, its answer |
//! | `/no-response` | returns without an answer |
//! | `/exit?code=N` | ends as a program would |
//! | `/hog?mib=N` | allocates, and keeps it |
//! | `/count` | answers how many requests this instance has had |
//! | `/args`, `/env`, `/read?path=P`, `/write?path=P&text=T`, `/log?text=T` | what any program can do |
//! | `/fetch?url=U` | asks another server; answers its status and body, or 502 and the error's name |

use std::collections::HashMap;
use std::env;
use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureTrailers, IncomingBody, IncomingRequest, OutgoingBody,
    OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme, Trailers,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

wasip2::http::proxy::export!(Server);

struct Server;

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static HELD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

const READ_AT_ONCE: u64 = 64 * 1024;

impl wasip2::exports::http::incoming_handler::Guest for Server {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        if target == "/" {
            return answer(out, 200, b"Hello world\n");
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = Query::parse(query);
        match path {
            "/echo" => echo(request, out),
            "/headers" => answer(out, 200, head(&request).as_bytes()),
            "/trailers" => with_trailers(out),
            "/stream" => stream(out, &query),
            "/sleep" => {
                query.wait();
                if !query.text("path").is_empty() {
                    write_file(&query);
                }
                answer(out, 200, b"slept\n");
            }
            "/after" => {
                answer(out, 200, b"answered\n");
                query.wait();
                write_file(&query);
            }
            "/never" => loop {
                thread::sleep(Duration::from_secs(3600));
            },
            "/spin" => spin(),
            "/trap" => core::arch::wasm32::unreachable(),
            "/trap-late" => {
                let body = begin(out, 200, Fields::new());
                let stream = body.write().expect("the first stream");
                let _ = send(&stream, b"the beginning");
                core::arch::wasm32::unreachable();
            }
            "/no-response" => {}
            "/exit" => process::exit(query.number("code") as i32),
            "/hog" => {
                for _ in 0..query.number("mib") {
                    HELD.lock()
                        .expect("nobody panics with it")
                        .push(vec![black_box(1); 1 << 20]);
                }
                answer(out, 200, b"held\n");
            }
            "/count" => answer(out, 200, format!("{count}\n").as_bytes()),
            "/args" => answer(out, 200, lines(env::args()).as_bytes()),
            "/env" => {
                let pairs = env::vars().map(|(name, value)| format!("{name}={value}"));
                answer(out, 200, lines(pairs).as_bytes());
            }
            "/read" => match fs::read(query.text("path")) {
                Ok(content) => answer(out, 200, &content),
                Err(problem) => answer(out, 404, problem.to_string().as_bytes()),
            },
            "/write" => match fs::write(query.text("path"), query.text("text")) {
                Ok(()) => answer(out, 200, b"written\n"),
                Err(problem) => answer(out, 500, problem.to_string().as_bytes()),
            },
            "/log" => {
                println!("{}", query.text("text"));
                eprintln!("{}", query.text("text"));
                let _ = io::stdout().flush();
                answer(out, 200, b"logged\n");
            }
            "/fetch" => match fetch(query.text("url")) {
                Ok((status, body)) => {
                    let text = [format!("{status}\n").as_bytes(), &body].concat();
                    answer(out, 200, &text);
                }
                Err(problem) => answer(out, 502, name(&problem).as_bytes()),
            },
            _ => match path.strip_prefix("/status/").map(str::parse) {
                Some(Ok(status)) => answer(out, status, b""),
                _ => answer(out, 404, format!("no such path: {path}\n").as_bytes()),
            },
        }
    }
}

/// The part of a target after its question mark.
struct Query(HashMap<String, String>);

impl Query {
    fn parse(text: &str) -> Query {
        let pairs = text.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), decoded(value))
        });
        Query(pairs.collect())
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }

    fn wait(&self) {
        thread::sleep(Duration::from_millis(self.number("ms")));
    }
}

/// Resolves `%XX`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.map(|text| text + "\n").collect()
}

fn write_file(query: &Query) {
    if let Err(problem) = fs::write(query.text("path"), "written\n") {
        eprintln!("write {}: {problem}", query.text("path"));
    }
}

fn spin() -> ! {
    let mut counter: u64 = 0;
    loop {
        counter = black_box(counter.wrapping_add(1));
    }
}

fn field(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// Sends the head of a response.
fn begin(out: ResponseOutparam, status: u16, headers: Fields) -> OutgoingBody {
    let response = OutgoingResponse::new(headers);
    if response.set_status_code(status).is_err() {
        eprintln!("no status: {status}");
    }
    let body = response.body().expect("the first body");
    ResponseOutparam::set(out, Ok(response));
    body
}

fn answer(out: ResponseOutparam, status: u16, content: &[u8]) {
    let headers =
        Fields::from_list(&[field("content-type", "text/plain")]).expect("an ordinary header");
    let body = begin(out, status, headers);
    if !content.is_empty() {
        let stream = body.write().expect("the first stream");
        let _ = send(&stream, content);
    }
    let _ = OutgoingBody::finish(body, None);
}

/// Writes all of it; an error says that the client is gone.
fn send(stream: &OutputStream, content: &[u8]) -> Result<(), StreamError> {
    let mut rest = content;
    while !rest.is_empty() {
        let room = stream.check_write()?;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = rest.split_at(rest.len().min(room as usize));
        stream.write(now)?;
        rest = later;
    }
    stream.blocking_flush()
}

fn head(request: &IncomingRequest) -> String {
    let mut text = format!(
        "{:?} {}\n",
        request.method(),
        request.path_with_query().unwrap_or_default()
    );
    text += &format!("scheme {:?}\n", request.scheme());
    text += &format!("authority {}\n", request.authority().unwrap_or_default());
    for (name, value) in request.headers().entries() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    text
}

fn echo(request: IncomingRequest, out: ResponseOutparam) {
    let mut fields = request.headers().entries();
    fields
        .retain(|(name, _)| name == "content-type" || name.starts_with("x-") || name == "trailer");
    let headers = Fields::from_list(&fields).expect("headers that were valid before");
    let incoming = request.consume().expect("the first consume");
    let body = begin(out, 200, headers);
    let stream = body.write().expect("the first stream");
    let source = incoming.stream().expect("the first stream");
    let copied = copy(&source, &stream);
    drop(source);
    drop(stream);
    match copied {
        // A body that is not finished is cut off, so that the client can tell.
        Err(problem) => eprintln!("echo: {problem}"),
        Ok(()) => {
            let _ = OutgoingBody::finish(body, trailers(IncomingBody::finish(incoming)));
        }
    }
}

fn copy(source: &InputStream, target: &OutputStream) -> Result<(), StreamError> {
    loop {
        match source.blocking_read(READ_AT_ONCE) {
            Ok(content) => send(target, &content)?,
            Err(StreamError::Closed) => return Ok(()),
            Err(problem) => return Err(problem),
        }
    }
}

fn trailers(future: FutureTrailers) -> Option<Trailers> {
    future.subscribe().block();
    match future.get() {
        // Those of a request cannot be changed, nor given to a response: a copy can.
        Some(Ok(Ok(Some(received)))) => Fields::from_list(&received.entries()).ok(),
        _ => None,
    }
}

fn with_trailers(out: ResponseOutparam) {
    let headers = [
        field("content-type", "text/plain"),
        field("trailer", "x-last"),
    ];
    let body = begin(
        out,
        200,
        Fields::from_list(&headers).expect("ordinary headers"),
    );
    let stream = body.write().expect("the first stream");
    let _ = send(&stream, b"before\n");
    drop(stream);
    let last = Fields::from_list(&[field("x-last", "after")]).expect("an ordinary trailer");
    let _ = OutgoingBody::finish(body, Some(last));
}

fn stream(out: ResponseOutparam, query: &Query) {
    let chunk = vec![b'x'; query.number("size") as usize];
    let body = begin(out, 200, Fields::new());
    let stream = body.write().expect("the first stream");
    for _ in 0..query.number("chunks") {
        if send(&stream, &chunk).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(query.number("pause")));
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn fetch(url: &str) -> Result<(u16, Vec<u8>), ErrorCode> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let settings = request
        .set_scheme(Some(&scheme))
        .and(request.set_authority(Some(authority)))
        .and(request.set_path_with_query(Some(path)));
    settings.map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let future = outgoing_handler::handle(request, None)?;
    future.subscribe().block();
    let response = match future.get() {
        Some(Ok(result)) => result?,
        _ => return Err(ErrorCode::InternalError(None)),
    };
    let body = response.consume().expect("the first consume");
    let source = body.stream().expect("the first stream");
    let mut content = Vec::new();
    loop {
        match source.blocking_read(READ_AT_ONCE) {
            Ok(part) => content.extend(part),
            Err(StreamError::Closed) => return Ok((response.status(), content)),
            Err(StreamError::LastOperationFailed(problem)) => {
                return Err(wasip2::http::types::http_error_code(&problem)
                    .unwrap_or(ErrorCode::InternalError(Some(problem.to_debug_string()))));
            }
        }
    }
}

/// As WIT spells it, but for the hyphens: `HttpRequestDenied`.
fn name(problem: &ErrorCode) -> String {
    format!("{problem:?}")
        .trim_start_matches("ErrorCode::")
        .to_owned()
}
