//! Files of WASI 0.1, and of its predecessor `wasi_unstable`. wasmtime-wasi's own implementation does all the work; here it is
//! done on the guest's threads and counted.

use super::cause::{self, Cause, Place};
use super::held::handle;
use super::threads::{FileThreads, on};
use crate::host::Host;
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime_wasi::WasiView;
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wiggle::{GuestMemory, GuestPtr};

/// The first number that is given to a directory: the three before are the streams.
const FIRST_GIVEN: u32 = 3;

impl Host {
    /// The guest's threads if the number is of a file or directory that it opened. Others are streams, which have their own
    /// way of waiting, and given directories.
    fn threads_of(&self, number: u32) -> Option<Arc<FileThreads>> {
        self.files.threads().filter(|_| self.files.has(number)).cloned()
    }

    /// Notes which directories the numbers from [`FIRST_GIVEN`] mean. To be called before any of them may be closed.
    fn know_given(&mut self) -> wasmtime::Result<()> {
        if self.files.knows_given() {
            return Ok(());
        }
        let given = preopens::Host::get_directories(&mut self.filesystem())?;
        let table = self.wasi.ctx().table;
        let mut directories = HashMap::new();
        for (number, (resource, _)) in (FIRST_GIVEN..).zip(given) {
            directories.insert(number, handle(&table.delete(resource)?).clone());
        }
        self.files.give(directories);
        Ok(())
    }

    /// What a path means; none where the number is of no directory.
    fn place_of(
        &mut self,
        memory: &GuestMemory<'_>,
        number: u32,
        path: GuestPtr<str>,
    ) -> wasmtime::Result<Option<Place>> {
        self.know_given()?;
        let path = memory.as_cow_str(path)?.into_owned();
        Ok(self.files.file(number).map(|directory| (directory, path)))
    }
}

/// Looks behind an I/O error.
async fn looked(
    threads: Option<Arc<FileThreads>>,
    look: impl FnOnce() -> Option<Cause> + Send + 'static,
) -> Option<Cause> {
    threads?.ask(look).await
}

/// What does not wait for files.
macro_rules! as_they_are {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {$(
        fn $name(&mut self, memory: &mut GuestMemory<'_>, $($argument: $type),*) -> Result<$result, Error> {
            self.wasi.$name(memory, $($argument),*)
        }
    )*};
}

/// Operations on an open descriptor.
macro_rules! on_descriptors {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {$(
        async fn $name(
            &mut self, memory: &mut GuestMemory<'_>, fd: Fd, $($argument: $type),*
        ) -> Result<$result, Error> {
            let threads = self.threads_of(fd.into());
            on(threads, self.wasi.$name(memory, fd, $($argument),*)).await
        }
    )*};
}

/// Operations on paths that change nothing.
macro_rules! on_paths {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {$(
        async fn $name(&mut self, memory: &mut GuestMemory<'_>, $($argument: $type),*) -> Result<$result, Error> {
            let threads = self.files.threads().cloned();
            on(threads, self.wasi.$name(memory, $($argument),*)).await
        }
    )*};
}

/// Operations that change what the named path of the named directory means.
macro_rules! changes {
    ($($name:ident[$directory:ident, $path:ident]($($argument:ident: $type:ty),*);)*) => {$(
        async fn $name(&mut self, memory: &mut GuestMemory<'_>, $($argument: $type),*) -> Result<(), Error> {
            let threads = self.files.threads().cloned();
            let done = on(threads.clone(), self.wasi.$name(memory, $($argument),*)).await;
            if !failed_unnamed(&done) {
                return done;
            }
            let place = self.place_of(memory, $directory.into(), $path).map_err(Error::trap)?;
            named(done, looked(threads, move || place.as_ref().and_then(cause::of_change)).await)
        }
    )*};
}

/// Operations that change what two paths mean.
macro_rules! moves {
    ($($name:ident[$fd:ident, $path:ident, $new_fd:ident, $new_path:ident]($($argument:ident: $type:ty),*);)*) => {$(
        async fn $name(&mut self, memory: &mut GuestMemory<'_>, $($argument: $type),*) -> Result<(), Error> {
            let threads = self.files.threads().cloned();
            let done = on(threads.clone(), self.wasi.$name(memory, $($argument),*)).await;
            if !failed_unnamed(&done) {
                return done;
            }
            let from = self.place_of(memory, $fd.into(), $path).map_err(Error::trap)?;
            let to = self.place_of(memory, $new_fd.into(), $new_path).map_err(Error::trap)?;
            named(done, looked(threads, move || cause::of_move(from.as_ref()?, to.as_ref()?)).await)
        }
    )*};
}

/// The functions of both versions, with the types of the module that this stands in.
macro_rules! functions {
    () => {
        as_they_are! {
            args_get(argv: GuestPtr<GuestPtr<u8>>, buffer: GuestPtr<u8>) -> ();
            args_sizes_get() -> (Size, Size);
            environ_get(environ: GuestPtr<GuestPtr<u8>>, buffer: GuestPtr<u8>) -> ();
            environ_sizes_get() -> (Size, Size);
            clock_res_get(id: Clockid) -> Timestamp;
            clock_time_get(id: Clockid, precision: Timestamp) -> Timestamp;
            fd_allocate(fd: Fd, offset: Filesize, len: Filesize) -> ();
            fd_fdstat_set_flags(fd: Fd, flags: Fdflags) -> ();
            fd_fdstat_set_rights(fd: Fd, base: Rights, inheriting: Rights) -> ();
            fd_prestat_get(fd: Fd) -> Prestat;
            fd_prestat_dir_name(fd: Fd, path: GuestPtr<u8>, len: Size) -> ();
            fd_tell(fd: Fd) -> Filesize;
            proc_raise(signal: Signal) -> ();
            sched_yield() -> ();
            random_get(buffer: GuestPtr<u8>, len: Size) -> ();
            sock_recv(fd: Fd, data: IovecArray, flags: Riflags) -> (Size, Roflags);
            sock_send(fd: Fd, data: CiovecArray, flags: Siflags) -> Size;
            sock_shutdown(fd: Fd, how: Sdflags) -> ();
        }

        on_descriptors! {
            fd_advise(offset: Filesize, len: Filesize, advice: Advice) -> ();
            fd_datasync() -> ();
            fd_fdstat_get() -> Fdstat;
            fd_filestat_get() -> Filestat;
            fd_filestat_set_size(size: Filesize) -> ();
            fd_read(buffers: IovecArray) -> Size;
            fd_pread(buffers: IovecArray, offset: Filesize) -> Size;
            fd_write(buffers: CiovecArray) -> Size;
            fd_pwrite(buffers: CiovecArray, offset: Filesize) -> Size;
            fd_seek(offset: Filedelta, whence: Whence) -> Filesize;
            fd_sync() -> ();
        }

        on_paths! {
            path_filestat_get(fd: Fd, flags: Lookupflags, path: GuestPtr<str>) -> Filestat;
            path_readlink(fd: Fd, path: GuestPtr<str>, buffer: GuestPtr<u8>, len: Size) -> Size;
        }

        changes! {
            path_create_directory[fd, path](fd: Fd, path: GuestPtr<str>);
            path_filestat_set_times[fd, path](
                fd: Fd, lookup: Lookupflags, path: GuestPtr<str>, accessed: Timestamp, modified: Timestamp, flags: Fstflags
            );
            path_remove_directory[fd, path](fd: Fd, path: GuestPtr<str>);
            path_symlink[fd, path](target: GuestPtr<str>, fd: Fd, path: GuestPtr<str>);
            path_unlink_file[fd, path](fd: Fd, path: GuestPtr<str>);
        }

        moves! {
            path_link[fd, path, new_fd, new_path](
                fd: Fd, flags: Lookupflags, path: GuestPtr<str>, new_fd: Fd, new_path: GuestPtr<str>
            );
            path_rename[fd, path, new_fd, new_path](fd: Fd, path: GuestPtr<str>, new_fd: Fd, new_path: GuestPtr<str>);
        }

        async fn path_open(
            &mut self,
            memory: &mut GuestMemory<'_>,
            fd: Fd,
            lookup: Lookupflags,
            path: GuestPtr<str>,
            open_flags: Oflags,
            base: Rights,
            inheriting: Rights,
            flags: Fdflags,
        ) -> Result<Fd, Error> {
            let Some(threads) = self.files.threads().cloned() else {
                return self.wasi.path_open(memory, fd, lookup, path, open_flags, base, inheriting, flags).await;
            };
            self.know_given().map_err(Error::trap)?;
            let permit = self.files.permit().ok_or(Errno::Mfile)?;
            let open = self.wasi.path_open(memory, fd, lookup, path, open_flags, base, inheriting, flags);
            let opened = threads.run(open).await;
            if failed_unnamed(&opened) {
                let place = self.place_of(memory, fd.into(), path).map_err(Error::trap)?;
                return named(opened, looked(Some(threads), move || place.as_ref().and_then(cause::of_change)).await);
            }
            let opened = opened?;
            if let Some(file) = self.files.unknown(self.wasi.ctx().table) {
                self.files.add(opened.into(), file, permit);
            }
            Ok(opened)
        }

        async fn fd_filestat_set_times(
            &mut self,
            memory: &mut GuestMemory<'_>,
            fd: Fd,
            accessed: Timestamp,
            modified: Timestamp,
            flags: Fstflags,
        ) -> Result<(), Error> {
            let (threads, file) = (self.threads_of(fd.into()), self.files.file(fd.into()));
            let set = self.wasi.fd_filestat_set_times(memory, fd, accessed, modified, flags);
            let done = on(threads.clone(), set).await;
            match file {
                Some(file) if failed_unnamed(&done) => {
                    named(done, looked(threads, move || cause::of_file(&file)).await)
                }
                _ => done,
            }
        }

        async fn fd_close(&mut self, memory: &mut GuestMemory<'_>, fd: Fd) -> Result<(), Error> {
            self.know_given().map_err(Error::trap)?;
            self.wasi.fd_close(memory, fd).await?;
            self.files.remove(fd.into());
            Ok(())
        }

        async fn fd_renumber(&mut self, memory: &mut GuestMemory<'_>, from: Fd, to: Fd) -> Result<(), Error> {
            self.know_given().map_err(Error::trap)?;
            self.wasi.fd_renumber(memory, from, to).await?;
            if u32::from(from) != u32::from(to) {
                self.files.renumber(from.into(), to.into());
            }
            Ok(())
        }

        async fn fd_readdir(
            &mut self,
            memory: &mut GuestMemory<'_>,
            fd: Fd,
            buffer: GuestPtr<u8>,
            len: Size,
            cookie: Dircookie,
        ) -> Result<Size, Error> {
            self.know_given().map_err(Error::trap)?;
            let threads = self.files.threads().cloned();
            if let (Some(threads), Some(directory)) = (&threads, self.files.file(fd.into()))
                && threads.ask(move || cause::is_too_long(&directory)).await
            {
                return Err(Errno::Nomem.into());
            }
            on(threads, self.wasi.fd_readdir(memory, fd, buffer, len, cookie)).await
        }

        async fn poll_oneoff(
            &mut self,
            memory: &mut GuestMemory<'_>,
            subscriptions: GuestPtr<Subscription>,
            events: GuestPtr<Event>,
            count: Size,
        ) -> Result<Size, Error> {
            self.wasi.poll_oneoff(memory, subscriptions, events, count).await
        }

        /// wasmtime-wasi traps for statuses above 125; a process has all of them.
        fn proc_exit(&mut self, _: &mut GuestMemory<'_>, status: Exitcode) -> wasmtime::Error {
            I32Exit(status.cast_signed()).into()
        }

        fn set_hostcall_fuel(&mut self, fuel: usize) {
            self.wasi.set_hostcall_fuel(fuel);
        }
    };
}

/// What is asked of the error type of the module that this stands in.
macro_rules! errors {
    () => {
        /// Whether an operation failed with the error that stands for all that wasmtime-wasi has no code for.
        fn failed_unnamed<T>(outcome: &Result<T, Error>) -> bool {
            outcome.as_ref().is_err_and(|error| matches!(error.downcast_ref(), Some(Errno::Io)))
        }

        fn named<T>(outcome: Result<T, Error>, cause: Option<Cause>) -> Result<T, Error> {
            match cause {
                Some(Cause::ReadOnly) => Err(Errno::Rofs.into()),
                Some(Cause::CrossDevice) => Err(Errno::Xdev.into()),
                None => outcome,
            }
        }
    };
}

mod snapshot {
    use super::{Cause, GuestMemory, GuestPtr, Host, WasiView, cause, looked, on};
    use wasmtime_wasi::I32Exit;
    use wasmtime_wasi::p1::types::{
        Advice, CiovecArray, Clockid, Dircookie, Errno, Error, Event, Exitcode, Fd, Fdflags, Fdstat, Filedelta,
        Filesize, Filestat, Fstflags, IovecArray, Lookupflags, Oflags, Prestat, Riflags, Rights, Roflags, Sdflags,
        Siflags, Signal, Size, Subscription, Timestamp, Whence,
    };
    use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1;

    errors!();

    impl WasiSnapshotPreview1 for Host {
        functions!();

        as_they_are! {
            sock_accept(fd: Fd, flags: Fdflags) -> Fd;
        }
    }
}

mod unstable {
    use super::{Cause, GuestMemory, GuestPtr, Host, WasiView, cause, looked, on};
    use wasmtime_wasi::I32Exit;
    use wasmtime_wasi::p0::types::{
        Advice, CiovecArray, Clockid, Dircookie, Errno, Error, Event, Exitcode, Fd, Fdflags, Fdstat, Filedelta,
        Filesize, Filestat, Fstflags, IovecArray, Lookupflags, Oflags, Prestat, Riflags, Rights, Roflags, Sdflags,
        Siflags, Signal, Size, Subscription, Timestamp, Whence,
    };
    use wasmtime_wasi::p0::wasi_unstable::WasiUnstable;

    errors!();

    impl WasiUnstable for Host {
        functions!();
    }
}
