//! Views: what guests see as `/`, each a mount namespace of its own that lives as long as a descriptor of it.
//!
//! A view is built by a thread made for it. On the host side it takes detached copies of the sources; then it enters a copy
//! of the [`Template`], a namespace with one empty tmpfs, and attaches them there. So the cost does not grow with the
//! host's mounts, none of those is kept busy by a view, and nothing is ever attached in the host's namespace.

use crate::failure::{Code, Failure, Result};
use crate::inside::{self, Shape};
use crate::mounting::{self, Attributes};
use crate::panics;
use rustix::fs::{FileType, Mode, OFlags, fstat, mkdirat, open, openat};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde::Deserialize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// Most mounts of one view.
const MOST_MOUNTS: usize = 1024;
/// Size of a tmpfs whose request names none.
const TMPFS_SIZE: &str = "64m";
/// Device files of every view's `/dev`.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];

/// `atoll_view_new`'s request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    rootfs: Vec<RootMount>,
    #[serde(default)]
    root_directory: Option<String>,
    #[serde(default)]
    readonly: bool,
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
struct RootMount {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    options: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mount {
    destination: String,
    source: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    readonly: bool,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    options: Vec<String>,
}

/// A near-empty mount namespace: one tmpfs with the directory `root`.
pub(crate) struct Template {
    namespace: OwnedFd,
    /// The host's /proc, for descriptors of namespaces from inside one that has none.
    proc: Arc<OwnedFd>,
}

/// A view. Dropping the last reference unmounts everything in it.
pub(crate) struct View {
    pub id: u64,
    /// The engine's id.
    pub engine: u64,
    root: OwnedFd,
    /// Keeps the namespace, and so the mounts below the root.
    _namespace: OwnedFd,
}

impl Template {
    pub fn new() -> Result<Self> {
        let failed = |doing: &str| {
            let doing = format!("cannot make the namespace for views ({doing})");
            move |error: rustix::io::Errno| Failure::io(doing, error)
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = Arc::new(open("/proc", flags, Mode::empty()).map_err(failed("open /proc"))?);
        let shared = proc.clone();
        let namespace = on_own_thread(move || {
            mounting::leave_shared_namespace().map_err(failed("unshare"))?;
            mounting::make_private().map_err(failed("make it private"))?;
            let options = [("size", "64k"), ("nr_inodes", "16"), ("mode", "0755")];
            let root = mounting::new_tmpfs(&options, plain(false)).map_err(failed("tmpfs"))?;
            mkdirat(&root, "root", Mode::from_raw_mode(0o755)).map_err(failed("mkdir"))?;
            mounting::become_root(root.as_fd()).map_err(failed("pivot_root"))?;
            own_namespace(&shared)
        })?;
        Ok(Self { namespace, proc })
    }
}

impl View {
    /// Builds a view; the calling thread waits for the one that does.
    pub fn new(id: u64, engine: u64, template: &Template, request: &Request) -> Result<Self> {
        if request.mounts.len() > MOST_MOUNTS {
            return Err(Failure::invalid(format!(
                "{} mounts in one view, at most {MOST_MOUNTS} are accepted",
                request.mounts.len()
            )));
        }
        let (root, namespace) = std::thread::scope(|scope| {
            let build = || build(template, request);
            let thread = std::thread::Builder::new().name("atoll-view".into()).spawn_scoped(scope, build);
            joined(thread.map_err(thread_failure)?.join())
        })?;
        Ok(Self { id, engine, root, _namespace: namespace })
    }

    /// Opens a regular file for reading.
    pub fn open(&self, path: &str) -> Result<OwnedFd> {
        inside::open_file(self.root.as_fd(), path)
    }

    /// The names in a directory, at most `most` of them.
    pub fn list(&self, path: &str, most: usize) -> Result<Vec<String>> {
        inside::list(self.root.as_fd(), path, most)
    }

    /// Finds a directory, or makes it with its parents.
    pub fn directory(&self, path: &str) -> Result<OwnedFd> {
        inside::mount_point(self.root.as_fd(), path, Shape::Directory)
    }

    /// A path of this process for the root, valid as long as the view.
    pub fn root_path(&self) -> String {
        format!("/proc/self/fd/{}", self.root.as_raw_fd())
    }
}

/// Runs `work` on a thread that ends with it: what it unshares is its own.
fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    joined(std::thread::Builder::new().name("atoll-view".into()).spawn(work).map_err(thread_failure)?.join())
}

fn thread_failure(error: std::io::Error) -> Failure {
    Failure::io("cannot start a thread for the view", error)
}

fn joined<T>(outcome: std::thread::Result<Result<T>>) -> Result<T> {
    outcome.unwrap_or_else(|panic| {
        Err(Failure::new(Code::Internal, format!("a bug in making a view: {}", panics::text(&*panic))))
    })
}

fn own_namespace(proc: &OwnedFd) -> Result<OwnedFd> {
    openat(proc, "thread-self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Failure::io("cannot open the view's namespace", error))
}

fn plain(readonly: bool) -> Attributes {
    Attributes { readonly, readonly_below: false, devices: false, recursive: false, follows_host: false }
}

/// A mount taken from the host, to be attached at its destination.
struct Source<'a> {
    mount: OwnedFd,
    shape: Shape,
    destination: &'a str,
}

fn build(template: &Template, request: &Request) -> Result<(OwnedFd, OwnedFd)> {
    let failed = |doing: &'static str| move |error: rustix::io::Errno| Failure::io(doing, error);
    // On the host's side: everything is taken before anything can be hidden.
    mounting::leave_shared_root().map_err(failed("cannot separate the view's thread"))?;
    let sources = request.mounts.iter().map(take).collect::<Result<Vec<_>>>()?;
    let devices = DEVICES.iter().map(|name| take_device(name)).collect::<Result<Vec<_>>>()?;
    let device_options = [("size", "64k"), ("nr_inodes", "64"), ("mode", "0755")];
    let device_directory =
        mounting::new_tmpfs(&device_options, plain(false)).map_err(failed("cannot make the view's /dev"))?;
    let root = take_root(request)?;

    // On the view's side.
    move_into_link_name_space(template.namespace.as_fd(), Some(LinkNameSpaceType::Mount))
        .map_err(failed("cannot enter the namespace for views"))?;
    mounting::leave_shared_namespace().map_err(failed("cannot make the view's namespace"))?;
    let place = open("/root", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(failed("cannot open the view's root"))?;
    mounting::attach(root.as_fd(), place.as_fd()).map_err(failed("cannot attach the view's root"))?;
    attach(root.as_fd(), &Source { mount: device_directory, shape: Shape::Directory, destination: "/dev" })?;
    for device in devices {
        attach(root.as_fd(), &device)?;
    }
    for source in &sources {
        attach(root.as_fd(), source)?;
    }
    if request.readonly {
        mounting::set_attributes(root.as_fd(), plain(true)).map_err(failed("cannot make the view's root read-only"))?;
    }
    let namespace = own_namespace(&template.proc)?;
    Ok((root, namespace))
}

fn attach(root: BorrowedFd<'_>, source: &Source<'_>) -> Result<()> {
    let place = inside::mount_point(root, source.destination, source.shape)?;
    mounting::attach(source.mount.as_fd(), place.as_fd())
        .map_err(|error| Failure::io(format!("cannot mount over {:?} inside the view", source.destination), error))
}

fn take_device(name: &str) -> Result<Source<'static>> {
    let (path, destination) = match name {
        "null" => ("/dev/null", "/dev/null"),
        "zero" => ("/dev/zero", "/dev/zero"),
        "full" => ("/dev/full", "/dev/full"),
        "random" => ("/dev/random", "/dev/random"),
        _ => ("/dev/urandom", "/dev/urandom"),
    };
    let mount = mounting::copy_of(path, Attributes { devices: true, ..plain(false) })?;
    Ok(Source { mount, shape: Shape::File, destination })
}

/// Options of binds that say what is so anyway.
const IMPLIED: &[&str] = &[
    "bind",
    "rbind",
    "private",
    "rprivate",
    "ro",
    "rro",
    "rw",
    "nosuid",
    "nodev",
    "noexec",
    "relatime",
    "noatime",
    "strictatime",
    "nodiratime",
];

fn take(mount: &Mount) -> Result<Source<'_>> {
    let destination = mount.destination.as_str();
    if !destination.starts_with('/') || destination.trim_matches('/').is_empty() {
        return Err(Failure::invalid(format!(
            "cannot mount at {destination:?}: an absolute path other than / is needed"
        )));
    }
    let refuse = |option: &str| {
        Err(Failure::not_supported(format!(
            "the option {option:?} of the {} mount at {destination:?} is not offered",
            mount.kind
        )))
    };
    let asks = |option: &str| mount.options.iter().any(|asked| asked == option);
    let readonly = mount.readonly || asks("ro") || asks("rro");
    match (mount.kind.as_str(), &mount.source) {
        ("bind", Some(source)) => {
            let mut attributes =
                Attributes { recursive: mount.recursive, readonly_below: asks("rro"), ..plain(readonly) };
            for option in &mount.options {
                match option.as_str() {
                    "slave" | "rslave" => attributes.follows_host = true,
                    option if IMPLIED.contains(&option) => {}
                    option => return refuse(option),
                }
            }
            if !source.starts_with('/') {
                return Err(Failure::invalid(format!(
                    "cannot bind {source:?} at {destination:?}: the source is not an absolute path"
                )));
            }
            let mount = mounting::copy_of(source, attributes)?;
            let status = fstat(&mount).map_err(|error| Failure::io(format!("cannot look at {source:?}"), error))?;
            let directory = FileType::from_raw_mode(status.st_mode) == FileType::Directory;
            Ok(Source { mount, shape: if directory { Shape::Directory } else { Shape::File }, destination })
        }
        ("tmpfs", _) => {
            let mut options = vec![("size", TMPFS_SIZE), ("mode", "1777")];
            for option in &mount.options {
                match option.split_once('=') {
                    Some((key @ ("size" | "mode" | "nr_inodes" | "nr_blocks" | "uid" | "gid"), value)) => {
                        options.retain(|(other, _)| *other != key);
                        options.push((key, value));
                    }
                    None if IMPLIED.contains(&option.as_str()) => {}
                    _ => return refuse(option),
                }
            }
            let mount = mounting::new_tmpfs(&options, plain(readonly)).map_err(|error| {
                Failure::io(format!("cannot make the tmpfs for {destination:?} with {options:?}"), error)
            })?;
            Ok(Source { mount, shape: Shape::Directory, destination })
        }
        ("bind", None) => Err(Failure::invalid(format!("the bind mount at {destination:?} names no source"))),
        (kind, _) => Err(Failure::not_supported(format!(
            "a mount of type {kind:?} at {destination:?} is not offered; bind and tmpfs are"
        ))),
    }
}

fn take_root(request: &Request) -> Result<OwnedFd> {
    let bind = |source: &str, readonly| mounting::copy_of(source, Attributes { recursive: true, ..plain(readonly) });
    match (&request.rootfs[..], &request.root_directory) {
        ([], Some(directory)) => bind(directory, false),
        ([], None) => Err(Failure::invalid("a view needs \"rootfs\" or \"rootDirectory\"; neither was given")),
        ([root], _) => match root.kind.as_str() {
            "bind" => bind(&root.source, root.options.iter().any(|option| option == "ro")),
            "overlay" => overlay(&root.options),
            kind => Err(Failure::not_supported(format!(
                "a root file system of type {kind:?} is not offered; overlay and bind are"
            ))),
        },
        (several, _) => Err(Failure::not_supported(format!(
            "{} mounts make up the root file system; one is accepted",
            several.len()
        ))),
    }
}

fn overlay(options: &[String]) -> Result<OwnedFd> {
    let mut readonly = false;
    let (mut lower, mut others, mut plain_options) = (Vec::new(), Vec::new(), Vec::new());
    for option in options {
        match option.split_once('=') {
            Some(("lowerdir", directories)) => lower = directories.split(':').collect(),
            Some((key, value)) => others.push((key, Some(value))),
            None if option == "ro" => readonly = true,
            None if IMPLIED.contains(&option.as_str()) => continue,
            None => others.push((option.as_str(), None)),
        }
        if option != "ro" {
            plain_options.push(option.as_str());
        }
    }
    let failed = |error| Failure::io(format!("cannot mount the overlay root with {options:?}"), error);
    // The newer interface takes strings of up to 255 bytes and no escapes; EINVAL is also what an older kernel answers.
    let simple = !lower.is_empty() && !options.iter().any(|option| option.contains('\\')) && !lower.contains(&"");
    let made = if simple { mounting::new_overlay(&lower, &others) } else { Err(rustix::io::Errno::INVAL) };
    let made = match made {
        Ok(made) => made,
        Err(rustix::io::Errno::INVAL) => {
            mounting::leave_shared_namespace().map_err(failed)?;
            mounting::make_private().map_err(failed)?;
            mounting::new_overlay_by_path(&plain_options.join(",")).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    };
    mounting::set_attributes(made.as_fd(), plain(readonly)).map_err(failed)?;
    Ok(made)
}
