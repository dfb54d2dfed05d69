//! Our own panic hook: one logfmt line on stderr, never a backtrace (taking one costs 80 ms and stops a worker).

use crate::failure::one_line;
use std::any::Any;
use std::io::Write;
use std::sync::Once;

static INSTALLED: Once = Once::new();

/// Installs the hook, once per process.
pub(crate) fn install_hook() {
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let thread = std::thread::current();
            let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let line = format!(
                "level=error msg=\"panic in the engine\" thread={:?} location={place:?} text={:?}\n",
                thread.name().unwrap_or("unnamed"),
                text(panic.payload()),
            );
            // A closed stderr must not turn one panic into two.
            drop(std::io::stderr().lock().write_all(line.as_bytes()));
        }));
    });
}

/// The message of a caught panic.
pub(crate) fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    one_line(&text)
}
