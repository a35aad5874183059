//! pprof: gzipped protobuf for `go tool pprof` and the servers that take it.
//!
//! One file has the sample types of one kind, in the order that Go's own profiles have them, for servers
//! know a kind by that. Samples, locations, functions and strings are encoded one by one: protobuf lets the
//! parts of a message follow each other in any number, so only their numbers are held.

mod mappings;
pub mod message;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

use flate2::{Compression, GzBuilder};
use prost::Message;

use self::mappings::{Image, Mappings};
use self::message as pb;
use super::escape::escape;
use super::names::{Name, program_name, shown, thread_name, thread_of};
use super::{ExportError, Metric, Unit};
use crate::analysis::{MemorySum, Profile};
use crate::ids::{BinaryId, FrameId, StackId, ThreadId};
use crate::record::Lang;

/// Encoded bytes that are compressed at once.
const BATCH: usize = 64 * 1024;
/// Frames of a location: a writer tells no more that are inlined into each other, and a trace must not make a longer file
/// by them than by its stacks.
const MAX_GROUP: usize = 33;

/// Writes the sample types of a metric. The same profile gives the same bytes.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    // No time stamp in the gzip header.
    let gzip = GzBuilder::new().mtime(0).write(out, Compression::default());
    let mut writer = Writer {
        profile,
        gzip,
        buffer: Vec::new(),
        hashers: [RandomState::new(), RandomState::new()],
        strings: HashMap::new(),
        functions: HashMap::new(),
        locations: vec![0; profile.tables.counts()[2] + 1],
        groups: HashMap::new(),
        mappings: Mappings::new(profile),
        location_count: 0,
        labels: None,
    };
    writer.string("");
    writer.head(metric)?;
    match metric {
        Metric::Cpu | Metric::Wall => {
            for t in profile.time.iter().filter(|t| metric == Metric::Wall || t.class.on_cpu()) {
                let label = ("class", t.class.name());
                writer.sample(t.thread, t.stack, Some(label), &[t.samples, t.weight_ns])?;
            }
        }
        Metric::Alloc | Metric::Live | Metric::Peak => {
            for m in &profile.memory {
                let (bytes, blocks) = match metric {
                    Metric::Peak => (m.live_at_peak_bytes, m.live_at_peak_blocks),
                    _ => (m.live_at_end_bytes, m.live_at_end_blocks),
                };
                let objects = objects(m, bytes, blocks);
                let values = [m.alloc_count, m.alloc_bytes, objects, bytes];
                writer.sample(m.thread, m.stack, None, &values)?;
            }
        }
        Metric::Copies => {
            for c in &profile.copies {
                let copier = escape(&shown(profile.tables.string(c.copier)));
                let label = (!copier.is_empty()).then_some(("copier", copier.as_str()));
                writer.sample(c.thread, c.stack, label, &[c.copy_count, c.copy_bytes])?;
            }
        }
    }
    writer.finish()
}

/// Live objects of a stack, scaled up: as large on average as all that it allocated, and at least the
/// blocks that were followed.
fn objects(sum: &MemorySum, live_bytes: u64, live_blocks: u64) -> u64 {
    let scaled = u128::from(sum.alloc_count) * u128::from(live_bytes);
    let scaled = scaled / u128::from(sum.alloc_bytes.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX).max(live_blocks)
}

/// Sample types of a metric, the one to show first, the period's type, its unit and the period.
fn types(
    profile: &Profile,
    metric: Metric,
) -> (&'static [[&'static str; 2]], [&'static str; 3], u64) {
    const HEAP: &[[&str; 2]] = &[
        ["alloc_objects", "count"],
        ["alloc_space", "bytes"],
        ["inuse_objects", "count"],
        ["inuse_space", "bytes"],
    ];
    let header = &profile.header;
    let (ns, bytes) = (Unit::Nanoseconds.name(), Unit::Bytes.name());
    match metric {
        Metric::Cpu => (
            &[["samples", "count"], ["cpu", "nanoseconds"]],
            ["cpu", "cpu", ns],
            header.cpu_interval_ns,
        ),
        Metric::Wall => (
            &[["samples", "count"], ["wall", "nanoseconds"]],
            ["wall", "wall", ns],
            header.cpu_interval_ns,
        ),
        Metric::Alloc => (HEAP, ["alloc_space", "space", bytes], header.memory_interval),
        Metric::Live | Metric::Peak => {
            (HEAP, ["inuse_space", "space", bytes], header.memory_interval)
        }
        Metric::Copies => (
            &[["copies", "count"], ["copy_space", "bytes"]],
            ["copy_space", "space", bytes],
            header.copy_interval,
        ),
    }
}

struct Writer<'a, W: Write> {
    profile: &'a Profile,
    gzip: flate2::write::GzEncoder<W>,
    buffer: Vec<u8>,
    hashers: [RandomState; 2],
    /// Numbers of strings by their two hashes: a million escaped names are too long to be held. That two of them have
    /// the same 128 bits nobody can bring about who does not know the hashers' keys.
    strings: HashMap<[u64; 2], u32>,
    /// Numbers of functions by name, file and first line; 32 bits are enough for the strings of a trace.
    functions: HashMap<(u32, u32, u32), u32>,
    /// Numbers of locations by frame, 0 for those that have none yet; the last one stands for a stack that is not
    /// known.
    locations: Vec<u32>,
    /// Numbers of the locations that are several frames, by the frames' two hashes.
    groups: HashMap<[u64; 2], u32>,
    location_count: u32,
    mappings: Mappings<'a>,
    /// Those of the thread of the last sample.
    labels: Option<(ThreadId, Vec<pb::Label>)>,
}

impl<W: Write> Writer<'_, W> {
    fn head(&mut self, metric: Metric) -> Result<(), ExportError> {
        let profile = self.profile;
        let (sample_types, [shown_first, period_type, period_unit], period) =
            types(profile, metric);
        let mut comments = vec![
            format!("prof {}", env!("CARGO_PKG_VERSION")),
            profile.header.command.iter().map(|w| escape(w)).collect::<Vec<_>>().join(" "),
        ];
        match metric {
            Metric::Live => comments.push("inuse: never freed".to_owned()),
            Metric::Peak => comments.push("inuse: live when the footprint was highest".to_owned()),
            _ => {}
        }
        if !profile.complete {
            comments.push("the trace ends early".to_owned());
        }
        comments.extend(profile.notes.iter().map(|note| escape(note.as_bytes())));
        let main = self.mappings.main();
        let head = pb::Profile {
            sample_type: sample_types
                .iter()
                .map(|[name, unit]| self.value_type(name, unit))
                .collect(),
            mapping: vec![self.mapping(main)],
            time_nanos: signed(profile.header.start_unix_ns),
            duration_nanos: signed(profile.elapsed.as_nanos()),
            period_type: Some(self.value_type(period_type, period_unit)),
            period: signed(period),
            comment: comments.iter().map(|comment| self.string(comment)).collect(),
            default_sample_type: self.string(shown_first),
            ..pb::Profile::default()
        };
        self.put(&head)
    }

    fn sample(
        &mut self,
        thread: ThreadId,
        stack: Option<StackId>,
        own_label: Option<(&str, &str)>,
        values: &[u64],
    ) -> Result<(), ExportError> {
        if values.iter().all(|value| *value == 0) {
            return Ok(());
        }
        let profile = self.profile;
        let mut location_id = Vec::new();
        let mut rest = profile.tables.walk(stack).peekable();
        while let Some(frame) = rest.next() {
            let mut group = vec![frame];
            while let Some(caller) = rest.next_if(|caller| self.is_part(&group, *caller)) {
                group.push(caller);
            }
            location_id.push(match group[..] {
                [frame] => self.location(Some(frame)),
                _ => self.group(&group),
            });
        }
        if location_id.is_empty() {
            location_id.push(self.location(None));
        }
        let mut label = self.labels_of(thread);
        if let Some(lang) = lang(profile, stack) {
            label.push(self.label("lang", lang));
        }
        if let Some((key, text)) = own_label {
            label.push(self.label(key, text));
        }
        let value = values.iter().map(|value| signed(*value)).collect();
        let sample = vec![pb::Sample { location_id, value, label }];
        self.put(&pb::Profile { sample, ..pb::Profile::default() })
    }

    /// The labels of a thread, made once for its samples: they follow each other.
    fn labels_of(&mut self, thread: ThreadId) -> Vec<pb::Label> {
        if let Some((_, labels)) = self.labels.as_ref().filter(|(of, _)| *of == thread) {
            return labels.clone();
        }
        let (known, process) = thread_of(self.profile, thread);
        let mut labels = vec![self.label("thread", &thread_name(known, thread))];
        if let Some(known) = known {
            labels.push(self.number("thread_id", known.tid));
        }
        if let Some(process) = process {
            labels.push(self.label("process", &program_name(process)));
            labels.push(self.number("pid", process.pid));
        }
        self.labels = Some((thread, labels.clone()));
        labels
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.gzip.write_all(&self.buffer)?;
        self.gzip.finish()?;
        Ok(())
    }

    fn put(&mut self, part: &pb::Profile) -> Result<(), ExportError> {
        self.append(part);
        if self.buffer.len() >= BATCH {
            self.gzip.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn append(&mut self, part: &pb::Profile) {
        // A vector takes whatever is put into it.
        part.encode_raw(&mut self.buffer);
    }

    fn label(&mut self, key: &str, text: &str) -> pb::Label {
        pb::Label { key: self.string(key), str: self.string(text), num: 0 }
    }

    fn number(&mut self, key: &str, number: u32) -> pb::Label {
        pb::Label { key: self.string(key), str: 0, num: i64::from(number) }
    }

    fn value_type(&mut self, name: &str, unit: &str) -> pb::ValueType {
        pb::ValueType { r#type: self.string(name), unit: self.string(unit) }
    }

    fn string(&mut self, text: &str) -> i64 {
        let key = [0, 1].map(|at: usize| self.hashers[at].hash_one(text));
        let next = self.strings.len() as u32;
        let number = *self.strings.entry(key).or_insert(next);
        if number == next {
            let string_table = vec![text.to_owned()];
            self.append(&pb::Profile { string_table, ..pb::Profile::default() });
        }
        number.into()
    }

    fn location(&mut self, frame: Option<FrameId>) -> u64 {
        let last = self.locations.len() - 1;
        let place = frame.map_or(last, FrameId::index).min(last);
        if self.locations[place] > 0 {
            return self.locations[place].into();
        }
        let line = vec![self.line(frame)];
        let id = self.put_location(frame, line);
        self.locations[place] = id;
        id.into()
    }

    /// Whether a caller's code is what the innermost frames of a group are inlined into.
    fn is_part(&self, group: &[FrameId], caller: FrameId) -> bool {
        let tables = &self.profile.tables;
        let binary_of = |id| tables.frame(id).map(|frame| tables.binary_of(frame.function));
        group.len() < MAX_GROUP
            && group.last().is_some_and(|inner| {
                tables.is_inlined(*inner) && binary_of(*inner) == binary_of(caller)
            })
    }

    /// The location of frames that are inlined into each other, innermost first.
    fn group(&mut self, frames: &[FrameId]) -> u64 {
        let key = [0, 1].map(|at: usize| self.hashers[at].hash_one(frames));
        if let Some(id) = self.groups.get(&key) {
            return (*id).into();
        }
        let lines = frames.iter().map(|frame| self.line(Some(*frame))).collect();
        let id = self.put_location(frames.last().copied(), lines);
        self.groups.insert(key, id);
        id.into()
    }

    fn line(&mut self, frame: Option<FrameId>) -> pb::Line {
        let tables = &self.profile.tables;
        let name = frame.map_or_else(Name::no_stack, |frame| Name::of(tables, frame));
        let function = frame.and_then(|f| tables.function(tables.frame(f)?.function));
        let first_line = function.map_or(0, |function| function.first_line);
        let function_id = self.function(&name, first_line);
        pb::Line { function_id, line: i64::from(name.line) }
    }

    /// A new location in the binary of this frame.
    fn put_location(&mut self, frame: Option<FrameId>, line: Vec<pb::Line>) -> u32 {
        let tables = &self.profile.tables;
        let binary =
            frame.and_then(|frame| tables.frame(frame)).map(|f| tables.binary_of(f.function));
        let (mapping_id, news) = self.mappings.of(binary.unwrap_or(BinaryId::NONE));
        if let Some(image) = news {
            let mapping = vec![self.mapping(image)];
            self.append(&pb::Profile { mapping, ..pb::Profile::default() });
        }
        self.location_count += 1;
        let location = vec![pb::Location { id: self.location_count.into(), mapping_id, line }];
        self.append(&pb::Profile { location, ..pb::Profile::default() });
        self.location_count
    }

    fn mapping(&mut self, image: Image) -> pb::Mapping {
        pb::Mapping {
            id: image.id,
            filename: self.string(&image.path),
            build_id: self.string(&image.build_id),
            // There are no addresses that anybody could look up functions by.
            has_functions: true,
            has_filenames: image.told.files,
            has_line_numbers: image.told.lines,
            has_inline_frames: image.told.inlined,
        }
    }

    fn function(&mut self, name: &Name, first_line: u32) -> u64 {
        let text = self.string(&name.function);
        let filename = self.string(&name.file);
        let next = self.functions.len() as u32 + 1;
        let key = (text as u32, filename as u32, first_line);
        let id = *self.functions.entry(key).or_insert(next);
        let is_new = id == next;
        let id = id.into();
        if is_new {
            let start_line = i64::from(first_line);
            let function = pb::Function { id, name: text, filename, start_line };
            let function = vec![function];
            self.append(&pb::Profile { function, ..pb::Profile::default() });
        }
        id
    }
}

/// The language of the innermost frame, if it has one.
fn lang(profile: &Profile, stack: Option<StackId>) -> Option<&'static str> {
    let frame = profile.tables.walk(stack).next()?;
    match profile.tables.function(profile.tables.frame(frame)?.function)?.lang {
        Lang::Python => Some("python"),
        Lang::Native => Some("native"),
        Lang::Other => None,
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
