//! A CPU quota as the kernel's CFS bandwidth control has it: so much time in each period, over all threads.

use crate::clock;
use crate::failure::{Failure, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const MICROSECOND: u64 = 1000;
/// What the kernel accepts as a period, and as the least quota, in microseconds (kernel, `core.c`: `tg_set_cfs_bandwidth`).
const PERIODS: std::ops::RangeInclusive<u64> = 1_000..=1_000_000;
const LEAST_QUOTA: i64 = 1_000;
/// The kernel's default.
const USUAL_PERIOD: u64 = 100_000 * MICROSECOND;

/// So much time in each period; in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// 0: no quota.
    time: u64,
    period: u64,
    /// What may be saved up beyond one period's quota.
    burst: u64,
}

impl Quota {
    /// All in microseconds; a `quota` that is not positive is none.
    pub fn new(quota: i64, period: u64, burst: u64) -> Result<Self> {
        if !PERIODS.contains(&period) {
            return Err(Failure::invalid(format!(
                "cpu.period is {period} microseconds: {} to {} are accepted",
                PERIODS.start(),
                PERIODS.end()
            )));
        }
        if quota > 0 && quota < LEAST_QUOTA {
            return Err(Failure::invalid(format!(
                "cpu.quota is {quota} microseconds: at least {LEAST_QUOTA} are accepted, or -1 for none"
            )));
        }
        let nanoseconds = |micros: u64| micros.saturating_mul(MICROSECOND).min(u64::MAX / 4);
        let quota = u64::try_from(quota).unwrap_or(0);
        if quota > 0 && burst > quota {
            return Err(Failure::invalid(format!(
                "cpu.burst is {burst} microseconds: at most the quota, {quota}, is accepted"
            )));
        }
        Ok(Self { time: nanoseconds(quota), period: nanoseconds(period), burst: nanoseconds(burst) })
    }

    pub fn quota_micros(self) -> i64 {
        i64::try_from(self.time / MICROSECOND).unwrap_or(i64::MAX)
    }

    pub fn period_micros(self) -> u64 {
        self.period / MICROSECOND
    }

    pub fn burst_micros(self) -> u64 {
        self.burst / MICROSECOND
    }
}

/// `cpu.stat`'s figures of a quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Throttling {
    /// Periods in which the container ran.
    pub periods: u64,
    /// Of these, periods in which it had used up its quota.
    pub throttled: u64,
    pub throttled_ns: u64,
}

/// The token bucket of one container.
pub(crate) struct Bandwidth {
    /// Whether there is a quota, so that those without pay one load.
    limited: AtomicBool,
    bucket: Mutex<Bucket>,
}

struct Bucket {
    quota: Quota,
    /// When the present period began.
    since: u64,
    /// What is left of the quota. Negative: work that was done in one go had no end in sight, and is paid for later.
    left: i64,
    ran: bool,
    stopped: bool,
    /// When it was last stopped, while it is.
    stopped_at: Option<u64>,
    sums: Throttling,
}

impl Default for Bandwidth {
    fn default() -> Self {
        let quota = Quota { time: 0, period: USUAL_PERIOD, burst: 0 };
        Self { limited: AtomicBool::new(false), bucket: Mutex::new(Bucket::new(quota, clock::monotonic())) }
    }
}

impl Bandwidth {
    pub fn quota(&self) -> Quota {
        self.lock().quota
    }

    /// Takes effect at once; what was spent in this period stays spent.
    pub fn set(&self, quota: Quota) {
        let mut bucket = self.lock();
        bucket.change(quota, clock::monotonic());
        self.limited.store(quota.time > 0, Ordering::Relaxed);
    }

    pub fn spend(&self, nanoseconds: u64) {
        if self.limited.load(Ordering::Relaxed) {
            self.lock().spend(nanoseconds, clock::monotonic());
        }
    }

    /// How long to wait before more may be spent; it is to be asked again then.
    pub fn wait(&self) -> Option<Duration> {
        if !self.limited.load(Ordering::Relaxed) {
            return None;
        }
        self.lock().wait(clock::monotonic()).map(Duration::from_nanos)
    }

    pub fn throttling(&self) -> Throttling {
        self.lock().throttling(clock::monotonic())
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moments and durations are nanoseconds of one clock.
impl Bucket {
    fn new(quota: Quota, now: u64) -> Self {
        let left = quota.time.cast_signed();
        Self { quota, since: now, left, ran: false, stopped: false, stopped_at: None, sums: Throttling::default() }
    }

    fn change(&mut self, quota: Quota, now: u64) {
        let sums = self.throttling(now);
        let had_none = self.quota.time == 0;
        let spent = self.quota.time.cast_signed() - self.left;
        *self = Self { sums, ..Self::new(quota, now) };
        if !had_none {
            // What was saved up is kept to the new quota; a debt is forgiven but for one period.
            let most = quota.time.saturating_add(quota.burst).cast_signed();
            self.left = (quota.time.cast_signed() - spent).clamp(-self.quota.time.cast_signed(), most);
        }
    }

    fn spend(&mut self, nanoseconds: u64, now: u64) {
        self.refill(now);
        self.left = self.left.saturating_sub_unsigned(nanoseconds);
        self.ran = true;
    }

    fn wait(&mut self, now: u64) -> Option<u64> {
        if self.quota.time == 0 {
            return None;
        }
        self.refill(now);
        if self.left > 0 {
            if let Some(at) = self.stopped_at.take() {
                self.sums.throttled_ns += now.saturating_sub(at);
            }
            return None;
        }
        self.stopped = true;
        self.stopped_at.get_or_insert(now);
        Some((self.since + self.quota.period).saturating_sub(now))
    }

    /// Grants the quota of the periods that have begun since.
    fn refill(&mut self, now: u64) {
        let periods = now.saturating_sub(self.since) / self.quota.period;
        if periods == 0 {
            return;
        }
        self.since += periods * self.quota.period;
        let granted = self.quota.time.saturating_mul(periods);
        let most = self.quota.time.saturating_add(self.quota.burst).cast_signed();
        self.left = self.left.saturating_add_unsigned(granted).min(most);
        // Who is still stopped was so in all of them.
        let counted = if self.stopped_at.is_some() { periods } else { 1 };
        if self.ran || self.stopped {
            self.sums.periods += counted;
        }
        if self.stopped {
            self.sums.throttled += counted;
        }
        self.ran = false;
        self.stopped = self.stopped_at.is_some() && self.left <= 0;
    }

    fn throttling(&self, now: u64) -> Throttling {
        let stopped = self.stopped_at.map_or(0, |at| now.saturating_sub(at));
        Throttling { throttled_ns: self.sums.throttled_ns + stopped, ..self.sums }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// A quarter of a core.
    fn quarter() -> Bucket {
        Bucket::new(Quota::new(25_000, 100_000, 0).expect("a quota"), 0)
    }

    #[test]
    fn a_spent_quota_comes_back_with_the_next_period() {
        let mut bucket = quarter();
        assert_eq!(bucket.wait(0), None);
        bucket.spend(25 * MS, 30 * MS);
        assert_eq!(bucket.wait(30 * MS), Some(70 * MS));
        assert_eq!(bucket.wait(100 * MS), None);
        assert_eq!(bucket.throttling(100 * MS), Throttling { periods: 1, throttled: 1, throttled_ns: 70 * MS });
    }

    #[test]
    fn what_was_spent_beyond_the_quota_is_taken_from_later_periods() {
        let mut bucket = quarter();
        bucket.spend(60 * MS, 60 * MS);
        assert_eq!(bucket.wait(60 * MS), Some(40 * MS));
        assert_eq!(bucket.wait(100 * MS), Some(100 * MS), "10 ms are owed still");
        assert_eq!(bucket.wait(200 * MS), None);
        assert_eq!(bucket.left, (15 * MS).cast_signed());
        assert_eq!(bucket.throttling(250 * MS), Throttling { periods: 2, throttled: 2, throttled_ns: 140 * MS });
    }

    #[test]
    fn an_unused_quota_is_lost_but_for_the_burst() {
        let mut bucket = quarter();
        assert_eq!((bucket.wait(10_000 * MS), bucket.left), (None, (25 * MS).cast_signed()));
        let mut bursting = Bucket::new(Quota::new(25_000, 100_000, 10_000).expect("a quota"), 0);
        assert_eq!((bursting.wait(10_000 * MS), bursting.left), (None, (35 * MS).cast_signed()));
        assert_eq!(bursting.throttling(10_000 * MS), Throttling::default(), "who does not run is not counted");
    }

    #[test]
    fn a_change_takes_effect_at_once() {
        let mut bucket = quarter();
        bucket.spend(25 * MS, 25 * MS);
        assert!(bucket.wait(25 * MS).is_some());
        bucket.change(Quota::new(50_000, 100_000, 0).expect("a quota"), 40 * MS);
        assert_eq!(bucket.wait(40 * MS), None);
        assert_eq!(bucket.left, (25 * MS).cast_signed());
        bucket.change(Quota::new(-1, 100_000, 0).expect("none"), 50 * MS);
        bucket.spend(1000 * MS, 60 * MS);
        assert_eq!(bucket.wait(60 * MS), None);
        assert_eq!(bucket.throttling(60 * MS).throttled_ns, 15 * MS);
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused() {
        for (quota, period, burst) in [(999, 100_000, 0), (1000, 999, 0), (1000, 1_000_001, 0), (1000, 1000, 1001)] {
            let refused = Quota::new(quota, period, burst).expect_err("out of range");
            assert!(refused.text.starts_with("cpu."), "{}", refused.text);
        }
    }
}
