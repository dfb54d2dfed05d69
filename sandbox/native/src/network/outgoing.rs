//! Outgoing wasi:http.

use super::Network;
use std::sync::Arc;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// What wasmtime-wasi-http asks its embedder for, in one store.
pub(crate) struct Hooks {
    network: Option<Arc<Network>>,
}

impl Hooks {
    pub fn new(network: Option<Arc<Network>>) -> Self {
        Self { network }
    }
}

type Answer = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _fut: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let _ = &self.network;
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}
