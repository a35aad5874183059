//! The pprof export, read back.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Command;

use profformat::export::pprof::message as pb;
use prost::Message;

use super::{Recording, call};

/// A frame of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: i64,
}

/// CPU time in one stack.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Innermost first.
    pub(crate) frames: Vec<Frame>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) cpu_ns: i64,
}

/// Every sample of CPU time.
pub(crate) fn samples(recording: &Recording) -> Vec<Sample> {
    let trace = recording.trace();
    let words = ["convert", "--to", "pprof", "-o", "cpu.pb.gz", trace.to_str().expect("UTF-8")];
    let output = call(&recording.folder(), &words);
    assert!(output.status.success(), "{output:?}");
    let file = std::fs::File::open(recording.folder().join("cpu.pb.gz")).expect("it was written");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    let message = pb::Profile::decode(&bytes[..]).expect("a profile");
    let text = |at: i64| message.string_table[at as usize].clone();
    let functions: BTreeMap<u64, &pb::Function> =
        message.function.iter().map(|function| (function.id, function)).collect();
    let frame = |line: &pb::Line| {
        let function = functions[&line.function_id];
        Frame { function: text(function.name), file: text(function.filename), line: line.line }
    };
    let locations: BTreeMap<u64, Vec<Frame>> = message
        .location
        .iter()
        .map(|location| (location.id, location.line.iter().map(frame).collect()))
        .collect();
    let is_cpu = |kind: &pb::ValueType| text(kind.r#type) == "cpu";
    let column = message.sample_type.iter().position(is_cpu).expect("CPU time");
    let label = |label: &pb::Label| {
        let value = if label.str == 0 { label.num.to_string() } else { text(label.str) };
        (text(label.key), value)
    };
    let sample = |sample: &pb::Sample| Sample {
        frames: sample.location_id.iter().flat_map(|id| locations[id].clone()).collect(),
        labels: sample.label.iter().map(label).collect(),
        cpu_ns: sample.value[column],
    };
    message.sample.iter().map(sample).collect()
}

/// What `go tool pprof` prints about it; `None` where there is no Go. After [`samples`].
pub(crate) fn go(recording: &Recording, view: &str) -> Option<String> {
    let mut tool = Command::new("go");
    tool.args(["tool", "pprof", "-symbolize=none", view, "cpu.pb.gz"]);
    tool.env("PPROF_TMPDIR", recording.folder()).current_dir(recording.folder());
    let output = tool.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("no such tool") {
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
