//! One client's connection: HTTP/1.1, or HTTP/2 by prior knowledge.

use super::patience::{Activity, Patient};
use super::phase::{Phase, Watch};
use super::{Server, handler};
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 128;
/// Pause between two pings of a silent HTTP/2 connection.
const PING: Duration = Duration::from_secs(20);
/// How long a closing HTTP/2 connection waits for its client to acknowledge the end, after all that it was asked.
const SILENCE: Duration = Duration::from_secs(1);

/// Serves a client until it or the server is done with the connection.
pub(crate) async fn serve(server: Arc<Server>, stream: TcpStream) {
    // Small responses must not wait for the acknowledgement of the one before; it fails on a dead connection only.
    drop(stream.set_nodelay(true));
    let activity = Activity::new();
    let io = TokioIo::new(Patient::new(stream, activity.clone(), &server.settings));
    let mut watch = Watch::new(server.phases.clone());
    let (shared, counted) = (server.clone(), activity.clone());
    let service = service_fn(move |request| handler::answer(shared.clone(), counted.clone(), request));
    let builder = builder(&server);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut silence = None;
    poll_fn(|context| {
        while let Some(phase) = watch.poll(context) {
            match phase {
                Phase::Closing => {
                    connection.as_mut().graceful_shutdown();
                    silence = activity.is_multiplexed().then(|| Silence::new(activity.clone()));
                }
                // HTTP/2 tells its client that no further request is taken, and which were; HTTP/1.1 can only say so with
                // a response, or would cut off a request that is on its way.
                Phase::Draining if activity.is_multiplexed() => {
                    connection.as_mut().graceful_shutdown();
                }
                // After the last one, the task is dropped.
                Phase::Draining | Phase::Serving | Phase::Ended => {}
            }
        }
        // How a connection ends is between the client and hyper: what went wrong for a guest is in its log.
        let ended = connection.as_mut().poll(context).map(drop);
        match &mut silence {
            Some(silence) if ended.is_pending() => silence.poll(context),
            _ => ended,
        }
    })
    .await;
}

/// Ends a closing HTTP/2 connection on which nothing happens any more.
struct Silence {
    activity: Arc<Activity>,
    /// Bytes written when the timer was set.
    written: u64,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    fn new(activity: Arc<Activity>) -> Self {
        Self { written: activity.written(), activity, timer: Box::pin(tokio::time::sleep(SILENCE)) }
    }

    /// Ready when for [`SILENCE`] no request was in progress and nothing of an answer has left, or waited to leave.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let written = self.activity.written();
            if written == self.written && self.activity.is_idle() {
                return Poll::Ready(());
            }
            self.written = written;
            self.timer.as_mut().reset(Instant::now() + SILENCE);
        }
    }
}

fn builder(server: &Arc<Server>) -> auto::Builder<Streams> {
    let settings = &server.settings;
    let mut builder = auto::Builder::new(Streams(server.clone()));
    // `Patient` holds the head to its time, and an idle connection to another.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(settings.max_header_bytes as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(settings.max_header_bytes)
        .max_concurrent_streams(STREAMS.min(settings.max_concurrent))
        .keep_alive_interval(PING);
    builder
}

/// The requests of HTTP/2 connections, of which hyper makes tasks: on the guest's bill, and gone when the server has ended.
#[derive(Clone)]
struct Streams(Arc<Server>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}
