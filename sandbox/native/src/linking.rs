//! What the engine offers to programs, and the check that a program needs nothing else.

use crate::failure::{Failure, Result, one_line, shortened};
use crate::files::{self, Held};
use crate::host::{Host, HostNetwork};
use crate::limits::{Account, Node, StoreLimits};
use crate::network::{lookup, sockets};
use crate::program::Kind;
use std::sync::Arc;
use wasmtime::component::{self, Component};
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::WasiCtxBuilder;

/// A program with its imports resolved, ready to be instantiated any number of times.
#[derive(Clone)]
pub(crate) enum Linked {
    Module(wasmtime::InstancePre<Host>),
    Component(component::InstancePre<Host>),
}

impl Linked {
    /// Bytes of the largest memory that an instance begins with.
    pub fn initial_memory(&self) -> u64 {
        // Of what a component imports as a module nothing is known, and nothing is offered.
        let required = match self {
            Self::Module(pre) => Some(pre.module().resources_required()),
            Self::Component(pre) => pre.component().resources_required(),
        };
        required.and_then(|required| required.max_initial_memory_size).unwrap_or(0).saturating_mul(WASM_PAGE)
    }
}

/// Bytes of a page of linear memory.
const WASM_PAGE: u64 = 64 << 10;

/// The interfaces of WASI 0.2 that [`Linkers`] offers to components, without their version.
const INTERFACES: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Import modules that betray what a program was built for.
const STRANGERS: &[(&str, &str)] = &[
    ("env", "it was built for a JavaScript host or with undefined symbols"),
    ("wbg", "it was built with wasm-bindgen for a JavaScript host"),
    ("__wbindgen_placeholder__", "it was built with wasm-bindgen for a JavaScript host"),
    ("go", "it was built with GOOS=js"),
    ("gojs", "it was built with GOOS=js"),
];

/// The linkers of one engine; immutable after construction.
pub(crate) struct Linkers {
    core: Linker<Host>,
    component: component::Linker<Host>,
    /// "module.field" of everything `core` offers.
    offered: Vec<String>,
}

impl Linkers {
    pub fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut core = Linker::<Host>::new(engine);
        wasmtime_wasi::p1::wasi_snapshot_preview1::add_to_linker(&mut core, |host: &mut Host| host)?;
        wasmtime_wasi::p0::wasi_unstable::add_to_linker(&mut core, |host: &mut Host| host)?;
        let mut component = component::Linker::<Host>::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut component)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut component)?;
        component.allow_shadowing(true);
        files::add_to_linker(&mut component)?;
        sockets::add_to_linker(&mut component)?;
        lookup::add_to_linker(&mut component)?;
        let mut wasi = WasiCtxBuilder::new();
        let net = HostNetwork::new(None, sockets::give(&mut wasi, None));
        let host = Host {
            wasi: wasi.build_p1(),
            files: Held::new(None),
            limits: StoreLimits::new(Arc::new(Account::new(&Node::new(0, 1)))),
            net,
        };
        let mut store = Store::new(engine, host);
        let mut offered: Vec<String> =
            core.iter(&mut store).map(|(module, field, _)| format!("{module}.{field}")).collect();
        offered.sort_unstable();
        Ok(Self { core, component, offered })
    }

    /// Resolves a core module's imports.
    pub fn module(&self, name: &str, module: &Module) -> Result<Linked> {
        let missing: Vec<(String, String)> = module
            .imports()
            .filter(|import| !self.offered.contains(&format!("{}.{}", import.module(), import.name())))
            .map(|import| (import.module().to_owned(), import.name().to_owned()))
            .collect();
        if let Some((from, field)) = missing.first() {
            let wanted = shortened(&format!("{from}.{field}"), 200);
            let stranger = STRANGERS.iter().find(|(module, _)| module == from).map_or("", |(_, why)| *why);
            return Err(Failure::invalid(format!(
                "{name} imports {wanted}, which nobody provides{}{}; offered are {} (WASI 0.1) and wasi_unstable{}",
                others(missing.len() - 1),
                nearest(&wanted, self.offered.iter().map(String::as_str))
                    .map(|near| format!(" (the nearest that is offered: {near})"))
                    .unwrap_or_default(),
                "wasi_snapshot_preview1",
                if stranger.is_empty() {
                    String::new()
                } else {
                    format!("; {stranger}: build it for wasm32-wasip1 or wasip2")
                },
            )));
        }
        self.core.instantiate_pre(module).map(Linked::Module).map_err(|error| mismatch(name, &error))
    }

    /// Resolves a component's imports.
    pub fn component(&self, name: &str, component: &Component) -> Result<Linked> {
        let ty = component.component_type();
        let engine = component.engine();
        refuse_other_worlds(name, ty.exports(engine).map(|(export, _)| export))?;
        let missing: Vec<&str> =
            ty.imports(engine).map(|(import, _)| import).filter(|import| !is_offered(import)).collect();
        if let Some(import) = missing.first() {
            let import = shortened(import, 200);
            let base = import.split('@').next().unwrap_or(&import);
            let known = INTERFACES.contains(&base);
            let detail = if known {
                "; of WASI 0.2 every 0.2.x version is accepted, and no other".to_owned()
            } else {
                let near = nearest(base, INTERFACES.iter().copied())
                    .map(|near| format!(" (the nearest that is offered: {near}@0.2)"));
                format!(
                    "{}; accepted are the worlds wasi:cli/command and wasi:http/proxy of WASI 0.2",
                    near.unwrap_or_default()
                )
            };
            return Err(Failure::invalid(format!(
                "{name} imports {import}, which nobody provides{}{detail}",
                others(missing.len() - 1)
            )));
        }
        self.component.instantiate_pre(component).map(Linked::Component).map_err(|error| mismatch(name, &error))
    }
}

fn is_offered(import: &str) -> bool {
    import.split_once('@').is_some_and(|(base, version)| {
        INTERFACES.contains(&base) && version.strip_prefix("0.2.").is_some_and(|patch| patch.parse::<u32>().is_ok())
    })
}

/// Programs of later WASI versions are known, and named.
fn refuse_other_worlds<'a>(name: &str, exports: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut other = None;
    for export in exports {
        if export.starts_with("wasi:cli/run@0.2.") || export.starts_with(HTTP_HANDLER) {
            return Ok(());
        }
        if export.starts_with("wasi:http/") || export.starts_with("wasi:cli/run@") {
            other = Some(export.to_owned());
        }
    }
    let Some(export) = other else { return Ok(()) };
    let what = if export.starts_with("wasi:http/handler@0.3.") {
        "it is an HTTP service of WASI 0.3"
    } else {
        "it is a program of another WASI version"
    };
    Err(Failure::not_supported(format!(
        "{name} exports {}: {what}, which is not offered; accepted are the worlds wasi:cli/command and wasi:http/proxy of WASI \
         0.2 and exported functions without parameters",
        shortened(&export, 200)
    )))
}

/// What a component exports that serves HTTP.
pub(crate) const HTTP_HANDLER: &str = "wasi:http/incoming-handler@0.2.";

/// The full name of the interface that a component exports under `prefix`.
pub(crate) fn exported(component: &Component, prefix: &str) -> Option<String> {
    let ty = component.component_type();
    let mut names = ty.exports(component.engine()).map(|(export, _)| export);
    names.find(|export| export.starts_with(prefix)).map(str::to_owned)
}

/// Whether a program can ask for files at all: what it cannot see need not be opened for it.
pub(crate) fn wants_files(linked: &Linked) -> bool {
    match linked {
        Linked::Module(_) => true,
        Linked::Component(pre) => {
            let component = pre.component();
            let ty = component.component_type();
            ty.imports(component.engine()).any(|(import, _)| import.starts_with("wasi:filesystem/"))
        }
    }
}

fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (and 1 other import)".into(),
        count => format!(" (and {count} other imports)"),
    }
}

fn mismatch(name: &str, error: &wasmtime::Error) -> Failure {
    Failure::invalid(format!("{name} cannot be linked: {}", one_line(&format!("{error:#}"))))
}

/// The name nearest to `wanted` by edit distance, if one is near at all.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (distance(wanted.as_bytes(), name.as_bytes()), name))
        .min()
        .filter(|(distance, _)| *distance <= wanted.len() / 2)
        .map(|(_, name)| name)
}

fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            let cheapest = changed.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cheapest);
        }
    }
    row[right.len()]
}

/// The names of what a program exports and can be called, `kind` telling how to read them.
pub(crate) fn exports(linked: &Linked) -> (Kind, Vec<String>) {
    const MOST: usize = 1000;
    match linked {
        Linked::Module(pre) => {
            let functions = pre.module().exports().filter(|export| export.ty().func().is_some());
            (Kind::Module, functions.take(MOST).map(|export| shortened(export.name(), 200)).collect())
        }
        Linked::Component(pre) => {
            let component = pre.component();
            let ty = component.component_type();
            let exports = ty.exports(component.engine()).filter(|(_, export)| {
                use component::types::ComponentItem::{ComponentFunc, ComponentInstance};
                matches!(export.ty, ComponentFunc(_) | ComponentInstance(_))
            });
            (Kind::Component, exports.take(MOST).map(|(export, _)| shortened(export, 200)).collect())
        }
    }
}
