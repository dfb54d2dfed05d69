//! What one instance has open.

use super::Files;
use super::threads::FileThreads;
use crate::quota::{Permit, Quota};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::Descriptor;

/// The files of one instance: by the descriptor's number in WASI 0.1, by the resource's in 0.2. They are closed after
/// wasmtime-wasi's own handles on them, so its context must be dropped first.
pub(crate) struct Held {
    /// `None`: the guest sees no files.
    threads: Option<Arc<FileThreads>>,
    quota: Arc<Quota>,
    open: HashMap<u32, Arc<Open>>,
    /// WASI 0.1 only: the directories that the guest was given, once they were asked for.
    given: Option<HashMap<u32, Arc<File>>>,
    /// Addresses of all of them.
    known: HashSet<usize>,
}

/// An open file, kept by its descriptor and its streams. Closing may wait as long as any other operation (NFS and FUSE tell
/// their server), so the last handle goes to the guest's threads; to the guest the file is closed at once.
pub(super) struct Open {
    file: Option<Arc<File>>,
    threads: Arc<FileThreads>,
    _permit: Permit,
}

impl Drop for Open {
    fn drop(&mut self) {
        let file = self.file.take();
        self.threads.later(move || drop(file));
    }
}

impl Held {
    pub fn new(files: Option<&Arc<Files>>) -> Self {
        let quota = files.map_or_else(|| Arc::new(Quota::new(0)), |files| files.open.clone());
        let threads = files.map(|files| files.threads.clone());
        Self { threads, quota, open: HashMap::new(), given: None, known: HashSet::new() }
    }

    pub fn threads(&self) -> Option<&Arc<FileThreads>> {
        self.threads.as_ref()
    }

    /// The right to open one more; none if the guest has as many open as it may.
    pub fn permit(&self) -> Option<Permit> {
        self.quota.permit()
    }

    pub fn has(&self, number: u32) -> bool {
        self.open.contains_key(&number)
    }

    pub(super) fn get(&self, number: u32) -> Option<Arc<Open>> {
        self.open.get(&number).cloned()
    }

    pub fn add(&mut self, number: u32, file: Arc<File>, permit: Permit) {
        if let Some(threads) = self.threads.clone() {
            self.known.insert(address(&file));
            self.open.insert(number, Arc::new(Open { file: Some(file), threads, _permit: permit }));
        }
    }

    /// To be called when wasmtime-wasi has let go of it.
    pub fn remove(&mut self, number: u32) {
        if let Some(file) = self.file(number) {
            self.known.remove(&address(&file));
        }
        self.open.remove(&number);
        self.given.as_mut().and_then(|given| given.remove(&number));
    }

    /// The number `to`, which was closed, now means what `from` did.
    pub fn renumber(&mut self, from: u32, to: u32) {
        self.remove(to);
        if let Some(open) = self.open.remove(&from) {
            self.open.insert(to, open);
        }
        if let Some(given) = &mut self.given
            && let Some(directory) = given.remove(&from)
        {
            given.insert(to, directory);
        }
    }

    pub fn knows_given(&self) -> bool {
        self.given.is_some()
    }

    pub fn give(&mut self, directories: HashMap<u32, Arc<File>>) {
        self.known.extend(directories.values().map(address));
        self.given = Some(directories);
    }

    /// The file or directory that a number of WASI 0.1 means.
    pub fn file(&self, number: u32) -> Option<Arc<File>> {
        let opened = self.open.get(&number).and_then(|open| open.file.as_ref());
        opened.or_else(|| self.given.as_ref()?.get(&number)).cloned()
    }

    /// The file that `table` has and this has not: wasmtime-wasi does not tell which resource a new number of WASI 0.1 means.
    pub fn unknown(&self, table: &mut ResourceTable) -> Option<Arc<File>> {
        table
            .iter_mut()
            .filter_map(|entry| entry.downcast_ref::<Descriptor>())
            .map(handle)
            .find(|file| !self.known.contains(&address(file)))
            .cloned()
    }
}

fn address(file: &Arc<File>) -> usize {
    Arc::as_ptr(file).addr()
}

pub(super) fn handle(descriptor: &Descriptor) -> &Arc<File> {
    match descriptor {
        Descriptor::File(file) => &file.file,
        Descriptor::Dir(directory) => &directory.dir,
    }
}
