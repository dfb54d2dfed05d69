//! Commands about the guest itself.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::process::{Outcome, Process};

const FOREVER: Duration = Duration::from_secs(3600);

pub fn env(process: &Process) -> Outcome {
    for (name, value) in process.environment {
        process.print(&format!("{name}={value}\n"))?;
    }
    Ok(0)
}

pub fn pwd(process: &Process) -> Outcome {
    process.print(&format!("{}\n", process.directory))?;
    Ok(0)
}

/// WASI tells no host name: it is in the file that a container runtime makes, and in the environment.
pub fn hostname(process: &Process) -> Outcome {
    if !process.arguments.is_empty() {
        return Err("a guest cannot change its host name".into());
    }
    let name = fs::read_to_string("/etc/hostname")
        .ok()
        .or_else(|| process.environment.get("HOSTNAME").cloned())
        .ok_or("neither /etc/hostname nor HOSTNAME is there")?;
    process.print(&format!("{}\n", name.trim_end()))?;
    Ok(0)
}

/// Seconds, or `infinity`.
pub fn sleep(process: &Process) -> Outcome {
    let [time] = process.arguments else {
        return Err("one time is wanted: sleep SECONDS".into());
    };
    if time == "infinity" {
        forever();
    }
    thread::sleep(Duration::try_from_secs_f64(time.parse()?)?);
    Ok(0)
}

/// There is nothing to show in a guest, which has no processes; as the native one does, it stays.
pub fn top(_: &Process) -> Outcome {
    forever();
}

/// A guest sees no processes, so none matches.
pub fn pgrep(_: &Process) -> Outcome {
    Ok(1)
}

fn forever() -> ! {
    loop {
        thread::sleep(FOREVER);
    }
}
