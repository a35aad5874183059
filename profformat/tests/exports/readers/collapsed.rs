//! Collapsed stacks: `root (file:line);leaf WEIGHT`.

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};

use super::{Frame, Stacks, Told};
use crate::totals::text;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let collapsed = String::from_utf8(text(profile, Format::Collapsed, metric)).unwrap();
    let mut stacks = Stacks::new();
    for line in collapsed.lines() {
        let (stack, weight) = line.rsplit_once(' ').unwrap();
        let frames = stack.split(';').map(frame).collect();
        *stacks.entry(frames).or_insert(0) += weight.parse::<u64>().unwrap();
    }
    Told::of_stacks(stacks)
}

/// A frame by its name here.
pub(super) fn frame(text: &str) -> Frame {
    let text = text.replace("\\x3b", ";");
    let Some((name, place)) = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (")) else {
        return (text, String::new(), 0);
    };
    match place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) => (name.to_owned(), file.to_owned(), line),
        None => (name.to_owned(), place.to_owned(), 0),
    }
}
