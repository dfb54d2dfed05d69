//! wasi:io's streams over files: wasmtime-wasi's own, polled so that they work on the guest's threads.

use super::held::Open;
use super::threads::FileThreads;
use bytes::Bytes;
use std::sync::Arc;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamResult};

/// A stream over a file, which it keeps open.
pub(super) struct FileStream<S> {
    inner: S,
    threads: Arc<FileThreads>,
    /// `None` of what the guest was given. Dropped after `inner`.
    _open: Option<Arc<Open>>,
}

impl<S> FileStream<S> {
    pub fn new(inner: S, threads: Arc<FileThreads>, open: Option<Arc<Open>>) -> Self {
        Self { inner, threads, _open: open }
    }
}

#[async_trait::async_trait]
impl<S: Pollable> Pollable for FileStream<S> {
    async fn ready(&mut self) {
        self.threads.run(self.inner.ready()).await;
    }
}

#[async_trait::async_trait]
impl InputStream for FileStream<DynInputStream> {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let _inside = self.threads.enter();
        self.inner.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.threads.run(self.inner.blocking_read(size)).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for FileStream<DynOutputStream> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let _inside = self.threads.enter();
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.threads.run(self.inner.blocking_write_and_flush(bytes)).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
