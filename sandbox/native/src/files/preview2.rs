//! wasi:filesystem of WASI 0.2. wasmtime-wasi's own implementation does all the work; here it is done on the guest's threads
//! and counted.

use super::cause::{self, Cause, Place};
use super::held::handle;
use super::streams::FileStream;
use super::threads::{FileThreads, on};
use crate::host::Host;
use std::fs::File;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTableError};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, Filesize, HostDescriptor,
    HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult, ReaddirIterator};
use wasmtime_wasi::{WasiCtxView, WasiView};

/// Puts the functions of this file before those that `linker` has. Shadowing must be allowed.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    types::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)
}

/// Operations that need nothing more than the guest's threads.
macro_rules! on_threads {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {$(
        async fn $name(&mut self, fd: Resource<Descriptor>, $($argument: $type),*) -> $result {
            let threads = self.files.threads().cloned();
            on(threads, HostDescriptor::$name(&mut self.filesystem(), fd, $($argument),*)).await
        }
    )*};
}

/// Operations that change what a path names: a file system may be read-only.
macro_rules! changes {
    ($($name:ident($path:ident $(, $argument:ident: $type:ty)*);)*) => {$(
        async fn $name(&mut self, fd: Resource<Descriptor>, $($argument: $type),*) -> FsResult<()> {
            let threads = self.files.threads().cloned();
            let place = (self.handle(&fd)?, $path.clone());
            let done = on(threads.clone(), HostDescriptor::$name(&mut self.filesystem(), fd, $($argument),*)).await;
            explained(threads, done, move || cause::of_change(&place)).await
        }
    )*};
}

impl Host {
    fn handle(&mut self, fd: &Resource<Descriptor>) -> Result<Arc<File>, ResourceTableError> {
        Ok(handle(self.wasi.ctx().table.get(fd)?).clone())
    }

    fn place(&mut self, fd: &Resource<Descriptor>, path: &str) -> Result<Place, ResourceTableError> {
        Ok((self.handle(fd)?, path.to_owned()))
    }
}

/// Looks behind an I/O error.
async fn explained<T>(
    threads: Option<Arc<FileThreads>>,
    outcome: FsResult<T>,
    look: impl FnOnce() -> Option<Cause> + Send + 'static,
) -> FsResult<T> {
    let Err(error) = outcome else { return outcome };
    match (error.downcast_ref(), threads) {
        (Some(ErrorCode::Io), Some(threads)) => match threads.ask(look).await {
            Some(Cause::ReadOnly) => Err(ErrorCode::ReadOnly.into()),
            Some(Cause::CrossDevice) => Err(ErrorCode::CrossDevice.into()),
            None => Err(error),
        },
        _ => Err(error),
    }
}

impl HostDescriptor for Host {
    on_threads! {
        advise(offset: Filesize, len: Filesize, advice: Advice) -> FsResult<()>;
        sync_data() -> FsResult<()>;
        get_flags() -> FsResult<DescriptorFlags>;
        get_type() -> FsResult<DescriptorType>;
        set_size(size: Filesize) -> FsResult<()>;
        read(len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)>;
        write(buffer: Vec<u8>, offset: Filesize) -> FsResult<Filesize>;
        sync() -> FsResult<()>;
        stat() -> FsResult<DescriptorStat>;
        stat_at(flags: PathFlags, path: String) -> FsResult<DescriptorStat>;
        readlink_at(path: String) -> FsResult<String>;
        metadata_hash() -> FsResult<MetadataHashValue>;
        metadata_hash_at(flags: PathFlags, path: String) -> FsResult<MetadataHashValue>;
    }

    changes! {
        create_directory_at(path, path: String);
        set_times_at(path, flags: PathFlags, path: String, accessed: NewTimestamp, modified: NewTimestamp);
        remove_directory_at(path, path: String);
        symlink_at(path, target: String, path: String);
        unlink_file_at(path, path: String);
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (threads, file) = (self.files.threads().cloned(), self.handle(&fd)?);
        let done = on(threads.clone(), HostDescriptor::set_times(&mut self.filesystem(), fd, accessed, modified)).await;
        explained(threads, done, move || cause::of_file(&file)).await
    }

    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let threads = self.files.threads().cloned();
        let (from, to) = (self.place(&fd, &path)?, self.place(&new_fd, &new_path)?);
        let done =
            on(threads.clone(), HostDescriptor::link_at(&mut self.filesystem(), fd, flags, path, new_fd, new_path))
                .await;
        explained(threads, done, move || cause::of_move(&from, &to)).await
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let threads = self.files.threads().cloned();
        let (from, to) = (self.place(&fd, &path)?, self.place(&new_fd, &new_path)?);
        let done =
            on(threads.clone(), HostDescriptor::rename_at(&mut self.filesystem(), fd, path, new_fd, new_path)).await;
        explained(threads, done, move || cause::of_move(&from, &to)).await
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let threads = self.files.threads().cloned();
        let place = self.place(&fd, &path)?;
        // WASI 0.2 has no code for EMFILE.
        let permit = self.files.permit().ok_or(ErrorCode::InsufficientMemory)?;
        let mut files = self.filesystem();
        let open = HostDescriptor::open_at(&mut files, fd, path_flags, path, open_flags, flags);
        let opened = on(threads.clone(), open).await;
        let opened = explained(threads, opened, move || cause::of_change(&place)).await?;
        let file = self.handle(&opened)?;
        self.files.add(opened.rep(), file, permit);
        Ok(opened)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        let number = fd.rep();
        HostDescriptor::drop(&mut self.filesystem(), fd)?;
        self.files.remove(number);
        Ok(())
    }

    async fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<ReaddirIterator>> {
        let threads = self.files.threads().cloned();
        let directory = self.handle(&fd)?;
        if let Some(threads) = &threads
            && threads.ask(move || cause::is_too_long(&directory)).await
        {
            return Err(ErrorCode::InsufficientMemory.into());
        }
        on(threads, HostDescriptor::read_directory(&mut self.filesystem(), fd)).await
    }

    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let number = fd.rep();
        let stream = HostDescriptor::read_via_stream(&mut self.filesystem(), fd, offset)?;
        let Some(threads) = self.files.threads().cloned() else { return Ok(stream) };
        let open = self.files.get(number);
        let WasiCtxView { table, .. } = self.wasi.ctx();
        let inner = table.delete(stream)?;
        let stream: DynInputStream = Box::new(FileStream::new(inner, threads, open));
        Ok(table.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let number = fd.rep();
        let stream = HostDescriptor::write_via_stream(&mut self.filesystem(), fd, offset)?;
        self.output(number, stream)
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let number = fd.rep();
        let stream = HostDescriptor::append_via_stream(&mut self.filesystem(), fd)?;
        self.output(number, stream)
    }

    async fn is_same_object(&mut self, a: Resource<Descriptor>, b: Resource<Descriptor>) -> wasmtime::Result<bool> {
        let threads = self.files.threads().cloned();
        on(threads, HostDescriptor::is_same_object(&mut self.filesystem(), a, b)).await
    }
}

impl Host {
    /// Puts the guest's threads around a stream that writes to the descriptor `number`.
    fn output(&mut self, number: u32, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let Some(threads) = self.files.threads().cloned() else { return Ok(stream) };
        let open = self.files.get(number);
        let WasiCtxView { table, .. } = self.wasi.ctx();
        let inner = table.delete(stream)?;
        let stream: DynOutputStream = Box::new(FileStream::new(inner, threads, open));
        Ok(table.push(stream)?)
    }
}

impl HostDirectoryEntryStream for Host {
    async fn read_directory_entry(&mut self, stream: Resource<ReaddirIterator>) -> FsResult<Option<DirectoryEntry>> {
        HostDirectoryEntryStream::read_directory_entry(&mut self.filesystem(), stream).await
    }

    fn drop(&mut self, stream: Resource<ReaddirIterator>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.filesystem(), stream)
    }
}

impl types::Host for Host {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        types::Host::convert_error_code(&mut self.filesystem(), error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        types::Host::filesystem_error_code(&mut self.filesystem(), error)
    }
}
