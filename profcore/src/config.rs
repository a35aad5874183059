//! Settings of a run: what the command line chooses and the session memory carries.

/// What to sample, and how often. An interval of 0 switches a kind off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Expected CPU nanoseconds between two samples of a thread.
    pub cpu_interval_ns: u64,
    /// Tick by perf events, exact to the microsecond, where the kernel allows them; by timers otherwise, which it looks
    /// at when it ticks itself.
    pub perf: bool,
    /// Unwind native frames at each tick.
    pub native_frames: bool,
    /// Expected bytes between two allocation samples of a thread.
    pub memory_interval: u64,
    /// Expected bytes between two copy samples of a thread.
    pub copy_interval: u64,
    /// Profile forked and executed children too.
    pub children: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cpu_interval_ns: 10_000_000,
            perf: false,
            native_frames: true,
            memory_interval: 128 * 1024,
            copy_interval: 1024 * 1024,
            children: true,
        }
    }
}

/// Environment variable that tells the shim where the collector listens: the name of an abstract socket.
pub const SESSION_VARIABLE: &str = "PROF_SESSION";
