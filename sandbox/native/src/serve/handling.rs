//! One request in the hands of the guest.

use super::Server;
use super::body::RequestBody;
use super::instances::{Instance, Source};
use super::turns::Turn;
use http_body::Body;
use hyper::{Request, Response};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

/// The head of a guest's response with its body, or what the guest said instead of one.
pub(crate) type Head = Result<Response<WasiBody>, ErrorCode>;

/// The guest's work on one request. Polled by the task of the client's connection; dropped, it stops where it stands.
pub(crate) struct Handling {
    server: Arc<Server>,
    work: Pin<Box<dyn Future<Output = Result<(), Failed>> + Send>>,
}

/// How a guest's work failed.
pub(crate) struct Failed {
    /// Whether its code ran at all.
    pub entered: bool,
    pub error: wasmtime::Error,
}

impl Handling {
    /// Begins nothing yet. The head comes through the result's second part.
    pub fn new(server: &Arc<Server>, source: Source, request: Request<RequestBody>) -> (Self, oneshot::Receiver<Head>) {
        let (sender, receiver) = oneshot::channel();
        let work = Box::pin(work(server.clone(), source, request, sender));
        (Self { server: server.clone(), work }, receiver)
    }

    /// Lets the guest go on. Ready once it has ended, with whether it ended as it should; if not, that is in its log.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.work.as_mut().poll(context).map(|outcome| match outcome {
            Ok(()) => true,
            Err(failed) => {
                self.server.failed(failed);
                false
            }
        })
    }

    /// Lets the guest end what it does after its response, in a task of its own and for as long as a request may take.
    pub fn finish_alone(mut self, mut body: Option<WasiBody>, turn: Option<Turn>) {
        let server = self.server.clone();
        let patience = server.settings.request_timeout();
        let log = server.clone();
        let rest = async move {
            let work = poll_fn(|context| {
                // What it writes on nobody reads, but it must be able to.
                while let Some(writing) = &mut body
                    && let Poll::Ready(frame) = Pin::new(writing).poll_frame(context)
                {
                    if !matches!(frame, Some(Ok(_))) {
                        body = None;
                    }
                }
                self.poll(context)
            });
            tokio::select! {
                biased;
                _ = work => {}
                () = tokio::time::sleep(patience) => log.log(format_args!(
                    "atoll: a request was ended: its response was sent {} ms ago, and it worked on",
                    patience.as_millis()
                )),
            }
            drop(turn);
        };
        server.spawn(rest);
    }
}

async fn work(
    server: Arc<Server>,
    source: Source,
    request: Request<RequestBody>,
    sender: oneshot::Sender<Head>,
) -> Result<(), Failed> {
    let mut instance = match source {
        Source::Idle(instance) => instance,
        Source::Fresh(slot) => Instance::new(&server, slot).await.map_err(|error| Failed { entered: false, error })?,
    };
    call(&mut instance, request, sender).await.map_err(|error| Failed { entered: true, error })?;
    server.instances.give_back(instance);
    Ok(())
}

async fn call(
    instance: &mut Instance,
    request: Request<RequestBody>,
    sender: oneshot::Sender<Head>,
) -> wasmtime::Result<()> {
    let store = &mut instance.store;
    let mut http = store.data_mut().http();
    let incoming = http.new_incoming_request(Scheme::Http, request)?;
    let answer = http.new_response_outparam(sender)?;
    // An idle instance's deadline has passed long ago.
    store.set_epoch_deadline(1);
    instance.proxy.wasi_http_incoming_handler().call_handle(store, incoming, answer).await
}
