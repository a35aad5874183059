//! What is sampled, how often, and how much of it is kept.

use std::time::Duration;

use super::profiler::Profiler;
use super::start::{StartError, start};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// So many times 1,024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// So many times 1,048,576 bytes.
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }
}

/// Settings of a profiler.
///
/// ```
/// use profcore::embed::{Bytes, Config};
/// use std::time::Duration;
///
/// let config = Config::new()
///     .cpu(Duration::from_millis(10))
///     .alloc(Bytes::kib(512))
///     .keep(Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// CPU time of a thread between two of its samples; zero: CPU time is not sampled. The kernel looks at CPU clocks at
    /// its ticks only (4 ms apart at 250 Hz); what lies below gives no more samples, and each has its true weight.
    pub cpu: Duration,
    /// Bytes that a thread allocates between two samples, on average; 0: allocations are not sampled. Needs
    /// [`SampledAlloc`](super::SampledAlloc).
    pub alloc: Bytes,
    /// For how long samples are kept.
    pub keep: Duration,
    /// Most memory for what is kept; the oldest goes first.
    pub memory: Bytes,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// A sample for each 10 ms of CPU time and each 512 KiB allocated, kept for a minute in 8 MiB.
    pub const fn new() -> Self {
        Self {
            cpu: Duration::from_millis(10),
            alloc: Bytes::kib(512),
            keep: Duration::from_secs(60),
            memory: Bytes::mib(8),
        }
    }

    /// As [`Config::new`], changed by what the environment says: `PROF_CPU=10ms`, `PROF_ALLOC=512KiB`, `PROF_KEEP=60s`,
    /// `PROF_MEMORY=8MiB`, each of the first two also `off`.
    ///
    /// # Errors
    /// A variable says something else.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config = Self::new();
        let read = |name: &'static str, into: &mut dyn FnMut(&str) -> bool| match get(name) {
            Some(value) if !into(value.trim()) => Err(ConfigError { name, value }),
            _ => Ok(()),
        };
        let set =
            |place: &mut Duration, value: Option<Duration>| value.map(|v| *place = v).is_some();
        let set_bytes =
            |place: &mut Bytes, value: Option<Bytes>| value.map(|v| *place = v).is_some();
        read("PROF_CPU", &mut |text| match text {
            "off" => set(&mut config.cpu, Some(Duration::ZERO)),
            text => set(&mut config.cpu, duration(text)),
        })?;
        read("PROF_ALLOC", &mut |text| match text {
            "off" => set_bytes(&mut config.alloc, Some(Bytes(0))),
            text => set_bytes(&mut config.alloc, bytes(text)),
        })?;
        read("PROF_KEEP", &mut |text| set(&mut config.keep, duration(text)))?;
        read("PROF_MEMORY", &mut |text| set_bytes(&mut config.memory, bytes(text)))?;
        Ok(config)
    }

    /// Sets [`Config::cpu`].
    pub const fn cpu(mut self, interval: Duration) -> Self {
        self.cpu = interval;
        self
    }

    /// Sets [`Config::alloc`].
    pub const fn alloc(mut self, interval: Bytes) -> Self {
        self.alloc = interval;
        self
    }

    /// Sets [`Config::keep`].
    pub const fn keep(mut self, last: Duration) -> Self {
        self.keep = last;
        self
    }

    /// Sets [`Config::memory`].
    pub const fn memory(mut self, most: Bytes) -> Self {
        self.memory = most;
        self
    }

    /// Starts a profiler. Never panics, prints or exits.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing runs then, and the program is as it was.
    pub fn start(self) -> Result<Profiler, StartError> {
        start(self)
    }

    /// Starts a profiler, or gives one that does nothing, so that what can be done without goes on without; `why` is told
    /// why not.
    pub fn start_or_disabled(self, why: impl FnOnce(&StartError)) -> Profiler {
        start(self).unwrap_or_else(|error| {
            why(&error);
            Profiler::disabled()
        })
    }
}

/// A variable of the environment that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    name: &'static str,
    value: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let example = match self.name {
            "PROF_CPU" => "10ms, 1s or off",
            "PROF_ALLOC" => "512KiB, 1MiB or off",
            "PROF_KEEP" => "60s or 500ms",
            _ => "8MiB",
        };
        write!(f, "{} is {:?}: it can be {example}", self.name, self.value)
    }
}

impl std::error::Error for ConfigError {}

/// `10ms`, `250us`, `1.5s`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = parts(text)?;
    let seconds = match unit {
        "ns" => number / 1e9,
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" | "min" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}

/// `512KiB`, `1MiB`, `100kB`, `4096`.
fn bytes(text: &str) -> Option<Bytes> {
    let (number, unit) = parts(text)?;
    let times = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1048576.0,
        "g" | "gib" => 1073741824.0,
        _ => return None,
    };
    let bytes = number * times;
    (1.0..9e18).contains(&bytes).then_some(Bytes(bytes as u64))
}

/// A number, not negative, and what follows it.
fn parts(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> Result<Config, ConfigError> {
        Config::from_variables(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn the_environment_is_read_with_its_units() {
        let new = Config::new();
        assert_eq!(Config::from_variables(|_| None), Ok(new));
        assert_eq!(with("PROF_CPU", "1ms"), Ok(new.cpu(Duration::from_millis(1))));
        assert_eq!(with("PROF_CPU", " 0.5 s "), Ok(new.cpu(Duration::from_millis(500))));
        assert_eq!(with("PROF_CPU", "off"), Ok(new.cpu(Duration::ZERO)));
        assert_eq!(with("PROF_ALLOC", "64KiB"), Ok(new.alloc(Bytes::kib(64))));
        assert_eq!(with("PROF_ALLOC", "100kB"), Ok(new.alloc(Bytes(100_000))));
        assert_eq!(with("PROF_ALLOC", "off"), Ok(new.alloc(Bytes(0))));
        assert_eq!(with("PROF_KEEP", "2min"), Ok(new.keep(Duration::from_secs(120))));
        assert_eq!(with("PROF_MEMORY", "16MiB"), Ok(new.memory(Bytes::mib(16))));
    }

    #[test]
    fn what_makes_no_sense_is_an_error_that_says_what_does() {
        for (name, value) in [
            ("PROF_CPU", "100"),
            ("PROF_CPU", "-1ms"),
            ("PROF_CPU", "0ms"),
            ("PROF_CPU", "1e400s"),
            ("PROF_CPU", ""),
            ("PROF_ALLOC", "0"),
            ("PROF_ALLOC", "12parsecs"),
            ("PROF_ALLOC", "99999999999999999999"),
            ("PROF_KEEP", "off"),
            ("PROF_MEMORY", "lots"),
        ] {
            let error = with(name, value).expect_err(value).to_string();
            assert!(error.starts_with(&format!("{name} is {value:?}: it can be ")), "{error}");
        }
    }
}
