//! Time with its zero and unit in the constructor's name.

/// Nanoseconds since the start of the trace. A trace keeps them in the time unit of its header, a microsecond
/// unless the writer was told otherwise: [`crate::Options::time_unit_ns`] says what is rounded and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The start of the trace.
    pub const ZERO: Self = Self(0);

    /// A moment `nanos` nanoseconds after the start of the trace.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start of the trace.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start of the trace.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}
