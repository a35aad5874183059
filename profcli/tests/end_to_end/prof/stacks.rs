//! Stacks of a profile, as exports show them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{Recording, call};

/// Frames, root first, and a weight.
pub(crate) type Stack = (Vec<String>, u64);

/// `file:line` of a mark in a source, as collapsed stacks show it.
pub(crate) fn marked(source: &Path, mark: &str) -> String {
    let text = std::fs::read_to_string(source).expect("the source can be read");
    let line = text.lines().position(|line| line.contains(mark)).expect("the mark is there") + 1;
    format!("({}:{line})", source.display())
}

/// All stacks of CPU time.
pub(crate) fn stacks(recording: &Recording) -> Vec<Stack> {
    let trace = recording.trace();
    let words = ["convert", "--to", "collapsed", "-o", "-", trace.to_str().expect("UTF-8")];
    let output = call(&recording.folder(), &words);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text.lines().map(|line| {
        let (stack, weight) = line.rsplit_once(' ').expect("a weight");
        let frames = stack.split(';').map(str::to_owned).collect();
        (frames, weight.parse().expect("a number"))
    });
    lines.collect()
}

/// Share of the weight whose stack has frames like these, in this order and side by side.
pub(crate) fn share(stacks: &[Stack], wanted: &[&str]) -> f64 {
    let like = |frames: &[String]| {
        frames.iter().zip(wanted).all(|(frame, part)| {
            let (name, place) = part.split_once(' ').unwrap_or((part, ""));
            frame.starts_with(name) && frame.contains(place)
        })
    };
    let has = |stack: &[String]| stack.windows(wanted.len()).any(like);
    let all: u64 = stacks.iter().map(|(_, weight)| weight).sum();
    let those: u64 = stacks.iter().filter(|(stack, _)| has(stack)).map(|(_, weight)| weight).sum();
    those as f64 / all as f64
}

/// One thread of speedscope's file.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) name: String,
    /// The functions on each stack, and its weight.
    pub(crate) stacks: Vec<(BTreeSet<String>, u64)>,
}

impl Track {
    fn weight(&self) -> u64 {
        self.stacks.iter().map(|(_, weight)| weight).sum()
    }

    /// Share of the thread's weight that has the function on its stack.
    pub(crate) fn share(&self, function: &str) -> f64 {
        let those = self.stacks.iter().filter(|(functions, _)| functions.contains(function));
        those.map(|(_, weight)| weight).sum::<u64>() as f64 / self.weight() as f64
    }
}

/// The CPU time of each thread as speedscope gets it.
pub(crate) fn tracks(recording: &Recording) -> Vec<Track> {
    let trace = recording.trace();
    let words = ["convert", "--to", "speedscope", "-o", "-", trace.to_str().expect("UTF-8")];
    let output = call(&recording.folder(), &words);
    assert!(output.status.success(), "{output:?}");
    let file: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let frames = list(&file["shared"]["frames"]);
    let function = |frame: &Value| {
        let at = frame.as_u64().expect("a number") as usize;
        frames[at]["name"].as_str().expect("a name").to_owned()
    };
    let stack = |frames: &Value| list(frames).iter().map(function).collect();
    let track = |profile: &Value| {
        let weights = list(&profile["weights"]);
        let weights = weights.iter().map(|weight| weight.as_u64().expect("a weight"));
        Track {
            name: profile["name"].as_str().expect("a name").to_owned(),
            stacks: list(&profile["samples"]).iter().map(stack).zip(weights).collect(),
        }
    };
    let mut tracks: Vec<Track> = list(&file["profiles"]).iter().map(track).collect();
    if tracks.len() > 1 {
        let whole = tracks.remove(0);
        let threads: u64 = tracks.iter().map(Track::weight).sum();
        assert_eq!((whole.weight(), &file["activeProfileIndex"]), (threads, &Value::from(0)));
    }
    tracks
}
