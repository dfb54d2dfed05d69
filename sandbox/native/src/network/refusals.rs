//! The log and the count of what a guest was refused.

use crate::failure::one_line;
use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines for one guest in one [`WINDOW`]; what is beyond is counted, and told with the next line.
const LINES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// Counts each refusal of one guest, and logs each unless there are too many to read.
pub(crate) struct Refusals {
    guest: String,
    policy: String,
    count: AtomicU64,
    pace: Mutex<Pace>,
}

struct Pace {
    since: Instant,
    lines: u32,
    left_out: u64,
}

impl Refusals {
    pub fn new(guest: &str, policy: &str) -> Self {
        let pace = Pace { since: Instant::now(), lines: 0, left_out: 0 };
        Self { guest: one_line(guest), policy: one_line(policy), count: AtomicU64::new(0), pace: Mutex::new(pace) }
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// `doing` is what was tried with `target`, `rule` what refused it.
    pub fn tell(&self, doing: &str, target: &dyn Display, rule: &str) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let Some(left_out) = self.line() else { return };
        let target = one_line(&target.to_string());
        let line = format!(
            "level=warn msg=\"network access refused\" guest={:?} action={doing:?} target={target:?} policy={:?} rule={rule:?} \
             unlogged={left_out}\n",
            self.guest, self.policy,
        );
        write(&line);
    }

    /// Logs what the guest's network cannot do and why, at the same pace.
    pub fn trouble(&self, text: &str, error: &str) {
        let Some(left_out) = self.line() else { return };
        let (guest, error) = (&self.guest, one_line(error));
        write(&format!("level=warn msg={text:?} guest={guest:?} error={error:?} unlogged={left_out}\n"));
    }

    /// Whether a line may be written, and how many were left out before it.
    fn line(&self) -> Option<u64> {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.since.elapsed() >= WINDOW {
            (pace.since, pace.lines) = (Instant::now(), 0);
        }
        if pace.lines >= LINES {
            pace.left_out += 1;
            return None;
        }
        pace.lines += 1;
        Some(std::mem::take(&mut pace.left_out))
    }
}

fn write(line: &str) {
    // A closed stderr changes nothing for the guest.
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}
