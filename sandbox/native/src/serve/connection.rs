//! One client's connection: HTTP/1.1, or HTTP/2 by prior knowledge.

use super::patience::{Activity, Patient};
use super::phase::{Phase, Watch};
use super::{Server, Tasks, handler};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;

/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 128;
/// Pause between two pings of a silent HTTP/2 connection.
const PING: Duration = Duration::from_secs(20);

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
    poll_fn(|context| {
        while let Some(phase) = watch.poll(context) {
            match phase {
                Phase::Closing => connection.as_mut().graceful_shutdown(),
                // HTTP/2 tells its client that no further request is taken, and which were; HTTP/1.1 can only say so with
                // a response, or would cut off a request that is on its way.
                Phase::Draining if activity.multiplexed.load(Ordering::Relaxed) => {
                    connection.as_mut().graceful_shutdown();
                }
                // After the last one, the task is dropped.
                Phase::Draining | Phase::Serving | Phase::Ended => {}
            }
        }
        // How a connection ends is between the client and hyper: what went wrong for a guest is in its log.
        connection.as_mut().poll(context).map(drop)
    })
    .await;
}

fn builder(server: &Arc<Server>) -> auto::Builder<Tasks> {
    let settings = &server.settings;
    let mut builder = auto::Builder::new(Tasks(server.clone()));
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
