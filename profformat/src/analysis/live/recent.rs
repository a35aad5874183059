//! What the last minute's figures are made of, second by second, so that it can leave the windows again.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::Window;
use crate::analysis::sums::UNKNOWN;
use crate::ids::{StackId, ThreadId};
use crate::record::Class;

/// Keys of a second that are told apart; what comes beyond counts without its stack and thread.
const KEYS: usize = 1 << 15;

/// Thread, stack and code of the class.
pub(super) type TimeKey = (ThreadId, Option<StackId>, u8);
/// Thread and stack.
pub(super) type CopyKey = (ThreadId, Option<StackId>);

/// Time, as samples tell it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) weight_ns: u64,
    pub(super) samples: u64,
    pub(super) squares: u128,
}

impl Sum {
    pub(super) fn add(&mut self, weight_ns: u64) {
        self.join(&Sum { weight_ns, samples: 1, squares: u128::from(weight_ns).pow(2) });
    }

    fn join(&mut self, other: &Sum) {
        self.weight_ns = self.weight_ns.saturating_add(other.weight_ns);
        self.samples = self.samples.saturating_add(other.samples);
        self.squares = self.squares.saturating_add(other.squares);
    }
}

/// A second of the run.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    second: u64,
    cpu_ns: u64,
    pub(super) time: HashMap<TimeKey, Sum>,
    pub(super) copies: HashMap<CopyKey, u64>,
}

/// The last minute.
#[derive(Debug, Default)]
pub(super) struct Recent {
    now: u64,
    /// Those that only the long window holds, oldest first.
    older: VecDeque<Bucket>,
    /// Those that both windows hold.
    newer: VecDeque<Bucket>,
}

impl Recent {
    /// Time has come to this second: a bucket that leaves a window, and which; `None` when all have. It is to be given to
    /// [`keep`](Self::keep) before the next.
    pub(super) fn advance(&mut self, now: u64) -> Option<(Window, Bucket)> {
        self.now = self.now.max(now);
        let now = self.now;
        if self.newer.front().is_some_and(|first| !Window::Short.holds(first.second, now)) {
            return Some((Window::Short, self.newer.pop_front()?));
        }
        if self.older.front().is_some_and(|first| !Window::Long.holds(first.second, now)) {
            return Some((Window::Long, self.older.pop_front()?));
        }
        None
    }

    /// Takes a bucket back that has left a window.
    pub(super) fn keep(&mut self, window: Window, bucket: Bucket) {
        if window == Window::Short {
            self.older.push_back(bucket);
        }
    }

    /// Takes time of a second that has come: the key it counts for, and the windows that it enters.
    pub(super) fn time(&mut self, second: u64, key: TimeKey, sum: &Sum) -> (TimeKey, [bool; 3]) {
        let windows = self.windows(second);
        let Some(bucket) = self.bucket(second, windows) else { return (key, windows) };
        let is_full = bucket.time.len() >= KEYS && !bucket.time.contains_key(&key);
        let key = if is_full { (UNKNOWN, None, key.2) } else { key };
        bucket.time.entry(key).or_default().join(sum);
        if Class::ALL.get(usize::from(key.2)).is_some_and(|class| class.on_cpu()) {
            bucket.cpu_ns = bucket.cpu_ns.saturating_add(sum.weight_ns);
        }
        (key, windows)
    }

    /// Takes copied bytes of a second that has come.
    pub(super) fn copied(&mut self, second: u64, key: CopyKey, bytes: u64) -> (CopyKey, [bool; 3]) {
        let windows = self.windows(second);
        let Some(bucket) = self.bucket(second, windows) else { return (key, windows) };
        let is_full = bucket.copies.len() >= KEYS && !bucket.copies.contains_key(&key);
        let key = if is_full { (UNKNOWN, None) } else { key };
        let sum = bucket.copies.entry(key).or_default();
        *sum = sum.saturating_add(bytes);
        (key, windows)
    }

    /// The windows that hold a second.
    fn windows(&self, second: u64) -> [bool; 3] {
        Window::ALL.map(|window| window.holds(second, self.now))
    }

    /// The bucket of a second, if a window holds it.
    fn bucket(&mut self, second: u64, [short, long, _]: [bool; 3]) -> Option<&mut Bucket> {
        if !long {
            return None;
        }
        let buckets = if short { &mut self.newer } else { &mut self.older };
        let at = match buckets.binary_search_by_key(&second, |bucket| bucket.second) {
            Ok(at) => at,
            Err(at) => {
                buckets.insert(at, Bucket { second, ..Bucket::default() });
                at
            }
        };
        buckets.get_mut(at)
    }

    /// The time of a window.
    pub(super) fn of(&self, window: Window) -> impl Iterator<Item = (&TimeKey, &Sum)> {
        let older = self.older.iter().filter(move |_| window != Window::Short);
        older.chain(&self.newer).flat_map(|bucket| &bucket.time)
    }

    /// CPU nanoseconds of each second, oldest first.
    pub(super) fn cpu_by_second(&self) -> Vec<u64> {
        let span = Window::Long.seconds().unwrap_or(0).min(self.now.saturating_add(1));
        let mut seconds = vec![0_u64; span as usize];
        for bucket in self.older.iter().chain(&self.newer) {
            let age = self.now.saturating_sub(bucket.second);
            if let Some(at) = span.checked_sub(age.saturating_add(1)) {
                seconds[at as usize] = bucket.cpu_ns;
            }
        }
        seconds
    }
}
