//! One figure: what is true, what was told, and how far the two may be from each other.

/// Points that no share of a class may be off by, and no share of anything else should.
pub const WORST: f64 = 3.0;
/// Points that the median share of a class may be off by.
pub const MEDIAN: f64 = 1.0;
/// Per cent of its clock that the weights of a thread may be off by.
pub const CLOCK: f64 = 1.0;
/// Per cent that the peak of the footprint may be off by.
pub const PEAK: f64 = 1.0;
/// Per cent that what a line allocated may be off by.
pub const ALLOCATED: f64 = 3.0;
/// Per cent that what is live at the peak from a line may be off by.
pub const LIVE: f64 = 5.0;
/// Per cent that what a line copied may be off by.
pub const COPIED: f64 = 2.0;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// CPU clock of a thread: of several, the one whose figure is farthest off. In seconds; the error in per cent.
    Clock,
    /// Share of a class on the CPU in the CPU time.
    Class,
    /// Share of a class off the CPU in the wall time.
    OffCpu,
    /// Share of a line in the CPU time.
    Line,
    /// Share of a function in the CPU time.
    Function,
    /// Share of a line's waits in the wall time.
    Wait,
    /// Highest footprint, in bytes; the error in per cent, as of all that follow.
    Peak,
    /// Bytes that a line allocated.
    Allocated,
    /// Bytes from a line that are live at the peak.
    Live,
    /// Bytes that a line copied.
    Copied,
    /// Bytes per second that a line leaks.
    Leak,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the program.
    pub program: &'static str,
    /// Name of its threads.
    pub threads: String,
    /// What it is about.
    pub kind: Kind,
    /// The class, tag or function.
    pub what: String,
    /// By the program's own clocks or sizes: per cent, seconds, or bytes.
    pub truth: f64,
    /// By the tool, if it tells that.
    pub told: Option<f64>,
    /// One standard deviation of what sampling at random gives, as the error has it; `None`: not sampled.
    pub noise: Option<f64>,
    /// What errors are per cent of: for shares, which are per cent themselves, 100.
    pub of: f64,
}

impl Row {
    /// Told less true: points, or per cent.
    pub fn error(&self) -> Option<f64> {
        Some(100.0 * (self.told? - self.truth) / self.of)
    }

    /// The bound for it.
    pub fn bound(&self) -> f64 {
        match self.kind {
            Kind::Clock => CLOCK,
            Kind::Class | Kind::OffCpu | Kind::Line | Kind::Function | Kind::Wait => WORST,
            Kind::Peak => PEAK,
            Kind::Allocated => ALLOCATED,
            Kind::Live => LIVE,
            Kind::Copied => COPIED,
            // Found or not is what counts.
            Kind::Leak => f64::INFINITY,
        }
    }

    /// More than the bound off; a leak that is not told, or told and not true.
    pub fn is_off(&self) -> bool {
        match (self.kind, self.told) {
            (Kind::Leak, Some(told)) => (told > 0.0) != (self.truth > 0.0),
            _ => self.error().is_some_and(|error| error.abs() > self.bound()),
        }
    }

    /// So few samples that an error says little.
    pub fn is_noisy(&self) -> bool {
        self.noise.is_some_and(|noise| noise > self.bound() / 3.0)
    }

    /// A share of a class: what the promise about time is about.
    pub fn is_class(&self) -> bool {
        matches!(self.kind, Kind::Class | Kind::OffCpu)
    }

    /// In bytes, or bytes per second.
    pub fn is_memory(&self) -> bool {
        self.kind >= Kind::Peak
    }

    /// What it is about, in words.
    pub fn words(&self) -> String {
        match self.kind {
            Kind::Clock => "clock".to_owned(),
            Kind::Class => self.what.clone(),
            Kind::OffCpu => format!("{} (of wall time)", self.what),
            Kind::Line => format!("line {}", self.what),
            Kind::Function => format!("{}()", self.what),
            Kind::Wait => format!("waits of line {}", self.what),
            Kind::Peak => "peak".to_owned(),
            Kind::Allocated => format!("allocated by {}", self.what),
            Kind::Live => format!("live at peak by {}", self.what),
            Kind::Copied => format!("copied by {}", self.what),
            Kind::Leak => format!("leak of {} a second", self.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: Kind, truth: f64, told: f64, of: f64) -> Row {
        let (threads, what) = ("t".to_owned(), "TAG".to_owned());
        Row { program: "p", threads, kind, what, truth, told: Some(told), noise: Some(0.5), of }
    }

    #[test]
    fn errors_are_in_points_and_those_of_clocks_in_per_cent() {
        assert_eq!(row(Kind::Class, 40.0, 42.5, 100.0).error(), Some(2.5));
        let clock = row(Kind::Clock, 2.0, 2.05, 2.0);
        assert!((clock.error().unwrap() - 2.5).abs() < 1e-9);
        assert!(clock.is_off());
        assert!(!row(Kind::Class, 40.0, 42.5, 100.0).is_off());
        assert!(row(Kind::Class, 40.0, 36.9, 100.0).is_off());
        assert_eq!(Row { told: None, ..clock }.error(), None);
    }

    #[test]
    fn each_figure_of_memory_has_its_bound() {
        let bytes = |kind, told| row(kind, 1000.0, told, 1000.0);
        let kinds =
            [(Kind::Peak, 10.0), (Kind::Allocated, 30.0), (Kind::Live, 50.0), (Kind::Copied, 20.0)];
        for (kind, bound) in kinds {
            assert!(bytes(kind, 1000.0 + bound + 1.0).is_off(), "{kind:?}");
            assert!(!bytes(kind, 1000.0 - bound + 1.0).is_off(), "{kind:?}");
        }
        // Nothing at all in truth: an error is a part of what all lines did.
        assert!(row(Kind::Copied, 0.0, 25.0, 1000.0).is_off());
        assert!(!row(Kind::Copied, 0.0, 15.0, 1000.0).is_off());
    }

    #[test]
    fn a_leak_is_found_or_not() {
        assert!(!row(Kind::Leak, 100.0, 300.0, 100.0).is_off());
        assert!(row(Kind::Leak, 100.0, 0.0, 100.0).is_off());
        assert!(row(Kind::Leak, 0.0, 1.0, 1.0).is_off());
        assert!(!Row { told: None, ..row(Kind::Leak, 1.0, 1.0, 1.0) }.is_off());
    }
}
