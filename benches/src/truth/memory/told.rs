//! What a tool tells about memory, in bytes.

use std::collections::BTreeMap;
use std::path::Path;

use profformat::analysis::Profile;
use profformat::analysis::sites::sites;

/// Bytes by number of the program's line.
pub type Bytes = BTreeMap<u32, f64>;

/// Figures of one tool; what it does not tell is not there.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Held at most.
    pub peak: Option<f64>,
    /// What lines allocated.
    pub allocated: Option<Bytes>,
    /// What of that is live at the peak.
    pub live: Option<Bytes>,
    /// What lines copied.
    pub copied: Option<Bytes>,
    /// The leaks.
    pub leaks: Option<Vec<Leak>>,
    /// Bytes between two samples of allocations; 0: all are seen.
    pub interval: f64,
    /// Bytes between two samples of copies; 0: all are seen.
    pub copy_interval: f64,
}

/// A line that is said to leak.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// Its number, if it is the program's.
    pub line: Option<u32>,
    /// Where it is, for people.
    pub place: String,
    /// Bytes per second, if that is told.
    pub rate: Option<f64>,
}

impl Told {
    /// What a trace tells. `file`: the program's.
    pub fn of_profile(profile: &Profile, file: &Path) -> Self {
        let [mut allocated, mut live, mut copied] = [Bytes::new(), Bytes::new(), Bytes::new()];
        let mut leaks = Vec::new();
        for site in sites(profile) {
            let source = profile.tables.text(site.file);
            let name = Path::new(&*source).file_name().unwrap_or_default();
            let own = Some(name) == file.file_name();
            if let Some(leak) = site.leak {
                let place = format!("{}:{}", name.to_string_lossy(), site.line);
                let (line, rate) = (own.then_some(site.line), leak.bytes_per_s as f64);
                leaks.push(Leak { line, place, rate: Some(rate) });
            }
            if !own {
                continue;
            }
            let sums = [
                (&mut allocated, site.alloc_bytes),
                (&mut live, site.live_at_peak_bytes),
                (&mut copied, site.copy_bytes),
            ];
            for (sum, bytes) in sums {
                *sum.entry(site.line).or_default() += bytes as f64;
            }
        }
        Self {
            peak: Some(profile.footprint.peak_bytes as f64),
            allocated: Some(allocated),
            live: Some(live),
            copied: Some(copied),
            leaks: Some(leaks),
            interval: profile.header.memory_interval as f64,
            copy_interval: profile.header.copy_interval as f64,
        }
    }
}
