//! What is called in a program: checked before anything runs, so that a wrong name or argument is a refusal and no trap.

use crate::failure::{Failure, Result, one_line, shortened};
use crate::host::Host;
use crate::linking::{HTTP_HANDLER, Linked, exported, exports, nearest};
use crate::program::Kind;
use wasmtime::component::{self, ComponentExportIndex, types::ComponentItem};
use wasmtime::{Engine, InstancePre, Store, Val, ValType};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// What running a program means.
pub(crate) enum Start {
    Call(Entry),
    /// It handles HTTP requests.
    Serve(ProxyPre<Host>),
}

impl Start {
    /// Finds what `export` (none: the program's own entry) of the program `name` is.
    pub fn find(name: &str, linked: &Linked, export: Option<&str>, args: &[String]) -> Result<Self> {
        if let (Linked::Component(pre), None) = (linked, export)
            && let Some(interface) = exported(pre.component(), HTTP_HANDLER)
        {
            return ProxyPre::new(pre.clone()).map(Self::Serve).map_err(|error| {
                Failure::invalid(format!(
                    "{name} exports {}, but not as WASI 0.2 has it: {}",
                    shortened(&interface, 200),
                    one_line(&format!("{error:#}"))
                ))
            });
        }
        Entry::find(name, linked, export, args).map(Self::Call)
    }
}

/// A checked entry with its arguments.
pub(crate) enum Entry {
    /// `_start`, or an exported function of a core module.
    Module { pre: InstancePre<Host>, name: String, arguments: Vec<Val>, results: usize },
    /// `run` of wasi:cli/run.
    Command { pre: component::InstancePre<Host>, run: ComponentExportIndex },
    /// An exported function of a component.
    Function { pre: component::InstancePre<Host>, function: ComponentExportIndex, results: usize },
}

impl Entry {
    /// Finds the entry `export` (none: `_start` or wasi:cli/run) of the program `name`.
    fn find(name: &str, linked: &Linked, export: Option<&str>, args: &[String]) -> Result<Self> {
        match linked {
            Linked::Module(pre) => in_module(name, pre, export, args, linked),
            Linked::Component(pre) => in_component(name, pre, export, linked),
        }
    }

    /// The engine that its store must be of.
    pub fn engine(&self) -> &Engine {
        match self {
            Self::Module { pre, .. } => pre.module().engine(),
            Self::Command { pre, .. } | Self::Function { pre, .. } => pre.engine(),
        }
    }

    /// Calls the entry; the result is the exit status it returned.
    pub async fn call(&self, store: &mut Store<Host>, entered: impl FnOnce()) -> wasmtime::Result<i32> {
        match self {
            Self::Module { pre, name, arguments, results } => {
                let instance = pre.instantiate_async(&mut *store).await?;
                entered();
                if name != "_start"
                    && let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize")
                {
                    initialize.call_async(&mut *store, ()).await?;
                }
                let function = instance.get_func(&mut *store, name).ok_or_else(|| gone(name))?;
                let mut results = vec![Val::I32(0); *results];
                function.call_async(&mut *store, arguments, &mut results).await?;
                Ok(0)
            }
            Self::Command { pre, run } => {
                let instance = pre.instantiate_async(&mut *store).await?;
                entered();
                let run = instance.get_typed_func::<(), (std::result::Result<(), ()>,)>(&mut *store, run)?;
                let (outcome,) = run.call_async(&mut *store, ()).await?;
                Ok(i32::from(outcome.is_err()))
            }
            Self::Function { pre, function, results } => {
                let instance = pre.instantiate_async(&mut *store).await?;
                entered();
                let function = instance.get_func(&mut *store, function).ok_or_else(|| gone("the function"))?;
                let mut results = vec![component::Val::Bool(false); *results];
                function.call_async(&mut *store, &[], &mut results).await?;
                Ok(0)
            }
        }
    }
}

fn gone(name: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!("{name} is not exported, though it was when the guest was made"))
}

fn in_module(
    name: &str,
    pre: &InstancePre<Host>,
    export: Option<&str>,
    args: &[String],
    linked: &Linked,
) -> Result<Entry> {
    let wanted = export.unwrap_or("_start");
    let Some(found) = pre.module().get_export(wanted) else { return Err(missing(name, wanted, export, linked)) };
    let Some(function) = found.func() else {
        return Err(Failure::invalid(format!("{name} exports {wanted:?}, but it is no function; {}", listed(linked))));
    };
    let given = if export.is_some() { args.get(1..).unwrap_or_default() } else { &[] };
    let expected = function.params().map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ");
    if function.params().len() != given.len() {
        return Err(Failure::invalid(format!(
            "{name}#{wanted} takes {} parameter(s) ({expected}), but {} argument(s) follow the program's name",
            function.params().len(),
            given.len()
        )));
    }
    let arguments = function.params().zip(given).map(|(ty, text)| parse(&ty, text)).collect::<Option<Vec<Val>>>();
    let arguments = arguments.ok_or_else(|| {
        Failure::invalid(format!(
            "the arguments {} do not fit {name}#{wanted}, which takes ({expected}); accepted are numbers of the types i32, \
             i64, f32 and f64",
            shortened(&format!("{given:?}"), 200)
        ))
    })?;
    Ok(Entry::Module { pre: pre.clone(), name: wanted.to_owned(), arguments, results: function.results().len() })
}

/// Numbers as C and the text format write them: decimal or 0x, signed or unsigned.
fn parse(ty: &ValType, text: &str) -> Option<Val> {
    let integer = || match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16).ok(),
        None => text.parse::<i128>().ok(),
    };
    match ty {
        ValType::I32 => {
            let number = integer()?;
            i32::try_from(number).or_else(|_| u32::try_from(number).map(u32::cast_signed)).ok().map(Val::I32)
        }
        ValType::I64 => {
            let number = integer()?;
            i64::try_from(number).or_else(|_| u64::try_from(number).map(u64::cast_signed)).ok().map(Val::I64)
        }
        ValType::F32 => text.parse::<f32>().ok().map(|number| Val::F32(number.to_bits())),
        ValType::F64 => text.parse::<f64>().ok().map(|number| Val::F64(number.to_bits())),
        _ => None,
    }
}

fn in_component(
    name: &str,
    pre: &component::InstancePre<Host>,
    export: Option<&str>,
    linked: &Linked,
) -> Result<Entry> {
    let component = pre.component();
    let interface = exported(component, "wasi:cli/run@0.2.");
    let is_command = |wanted: &str| interface.as_ref().is_some_and(|interface| wanted == format!("{interface}#run"));
    let wanted = match export {
        Some(wanted) if !is_command(wanted) => wanted,
        _ => {
            let run = interface
                .and_then(|interface| component.get_export_index(None, &interface))
                .and_then(|interface| component.get_export_index(Some(&interface), "run"));
            let Some(run) = run else { return Err(missing(name, "wasi:cli/run@0.2", export, linked)) };
            return Ok(Entry::Command { pre: pre.clone(), run });
        }
    };
    // `interface#function` reaches into an exported interface.
    let found = match wanted.rsplit_once('#') {
        Some((interface, function)) => component
            .get_export_index(None, interface)
            .and_then(|interface| component.get_export(Some(&interface), function)),
        None => component.get_export(None, wanted),
    };
    let Some((item, function)) = found else { return Err(missing(name, wanted, export, linked)) };
    let ComponentItem::ComponentFunc(ty) = item else {
        return Err(Failure::invalid(format!(
            "{name} exports {wanted:?}, but it is no function (a function inside an interface is named \
             \"interface#function\"); {}",
            listed(linked)
        )));
    };
    if ty.params().len() > 0 {
        return Err(Failure::not_supported(format!(
            "{name}#{wanted} takes {} parameter(s); of components only functions without parameters can be called",
            ty.params().len()
        )));
    }
    Ok(Entry::Function { pre: pre.clone(), function, results: ty.results().len() })
}

fn missing(name: &str, wanted: &str, export: Option<&str>, linked: &Linked) -> Failure {
    let (kind, names) = exports(linked);
    let wanted = shortened(wanted, 200);
    let near = nearest(&wanted, names.iter().map(String::as_str)).map(|near| format!(" (the nearest: {near})"));
    let advice = match (export, kind) {
        (Some(_), _) => "name one of them after the program, as in app.wasm#name",
        (None, Kind::Module) => "build it as a program with a main function, or name a function, as in app.wasm#name",
        (None, Kind::Component) => {
            "build it for the world wasi:cli/command or wasi:http/proxy, or name a function, as in app.wasm#name"
        }
    };
    Failure::invalid(format!(
        "{name} does not export {wanted}{}; {}; {advice}",
        near.unwrap_or_default(),
        listed(linked)
    ))
}

fn listed(linked: &Linked) -> String {
    const MOST: usize = 10;
    let (_, names) = exports(linked);
    if names.is_empty() {
        return "it exports no function".into();
    }
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    format!("it exports {}{more}", names[..names.len().min(MOST)].join(", "))
}
