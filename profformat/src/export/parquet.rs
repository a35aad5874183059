//! Parquet: one row for each weight, for DuckDB, pandas, polars and the like.
//!
//! ```sql
//! select file, line, sum(weight) / 1e9 as seconds from 'app.parquet' group by all order by seconds desc limit 10
//! ```
//!
//! One file with everything in each row, so that no question needs a join; equal texts are stored once. Function, file
//! and line are those that the weight counts for: of a stack with Python frames the innermost of those, else the
//! innermost; `leaf` is the innermost function and `stack` the whole stack as collapsed stacks have it. The metric, its
//! unit and the command are in the file's own key-value metadata.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::collapsed::write_stack;
use super::escape::escape;
use super::names::{Name, process_name, thread_name, thread_of};
use super::pieces::{Piece, pieces};
use super::{ExportError, Metric};
use crate::analysis::Profile;
use crate::ids::{FrameId, StackId};
use crate::record::Lang;

const SCHEMA: &str = "message prof {
    optional int64 t_us;
    optional int32 pid (integer(32, false));
    optional binary process (string);
    optional int32 tid (integer(32, false));
    required binary thread (string);
    optional binary class (string);
    required binary function (string);
    required binary file (string);
    required int32 line (integer(32, false));
    required binary leaf (string);
    required binary stack (string);
    required int64 weight (integer(64, false));
}";

/// Rows that are written at once, and bytes of their different stacks.
const ROWS: usize = 1 << 17;
const BYTES: usize = 16 << 20;

/// Writes the weights of a metric. `t_us` is the begin of the part of the run that a weight is of, in microseconds, where
/// times are known.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    write_all(profile, metric, out).map_err(|error| match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => ExportError::Io(*error),
            Err(error) => ExportError::Io(io::Error::other(error)),
        },
        error => ExportError::Io(io::Error::other(error)),
    })
}

fn write_all(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ParquetError> {
    let command: Vec<String> = profile.header.command.iter().map(|word| escape(word)).collect();
    let facts = [
        ("tool", concat!("prof ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("command", command.join(" ")),
        ("metric", metric.name().to_owned()),
        ("unit", metric.unit().name().to_owned()),
    ];
    let facts = facts.map(|(key, value)| KeyValue::new(format!("prof.{key}"), value));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_column_encoding("weight".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled("weight".into(), false)
        .set_key_value_metadata(Some(facts.to_vec()))
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    // What the writer has written is taken from it group by group: the output need not be one that another thread may have.
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let (part_ns, pieces) = pieces(profile, metric);
    let mut rows =
        Rows { profile, part_ns, texts: HashMap::new(), bytes: 0, stacks: HashMap::new() };
    let mut left = &pieces[..];
    while !left.is_empty() {
        let mut count = 0;
        rows.forget();
        while count < left.len().min(ROWS) && rows.bytes < BYTES {
            rows.prepare(&left[count]);
            count += 1;
        }
        let (group, rest) = left.split_at(count);
        rows.write(group, writer.next_row_group()?)?;
        left = rest;
        out.write_all(&std::mem::take(writer.inner_mut()))?;
    }
    writer.finish()?;
    out.write_all(&std::mem::take(writer.inner_mut()))?;
    Ok(())
}

/// Texts of a stack.
struct Texts {
    function: ByteArray,
    file: ByteArray,
    line: i32,
    leaf: ByteArray,
    stack: ByteArray,
}

/// Makes columns of weights.
struct Rows<'a> {
    profile: &'a Profile,
    part_ns: Option<u64>,
    /// By the text itself, so that equal ones are held once.
    texts: HashMap<String, ByteArray>,
    bytes: usize,
    stacks: HashMap<Option<StackId>, Texts>,
}

impl Rows<'_> {
    fn forget(&mut self) {
        self.texts.clear();
        self.stacks.clear();
        self.bytes = 0;
    }

    fn prepare(&mut self, piece: &Piece) {
        if self.stacks.contains_key(&piece.stack) {
            return;
        }
        let tables = &self.profile.tables;
        let is_python = |id: &FrameId| {
            let function = tables.frame(*id).and_then(|frame| tables.function(frame.function));
            function.is_some_and(|function| function.lang == Lang::Python)
        };
        let leaf = tables.walk(piece.stack).next();
        let place = tables.walk(piece.stack).find(is_python).or(leaf);
        let name = |id: Option<FrameId>| id.map_or_else(Name::no_stack, |id| Name::of(tables, id));
        let (leaf, place) = (name(leaf), name(place));
        let mut stack = Vec::new();
        // A vector takes whatever is put into it.
        let _ = write_stack(tables, piece.stack, &mut stack);
        self.bytes += stack.len() + 64;
        let texts = Texts {
            function: self.text(place.function),
            file: self.text(place.file),
            line: place.line as i32,
            leaf: self.text(leaf.function),
            stack: stack.into(),
        };
        self.stacks.insert(piece.stack, texts);
    }

    fn text(&mut self, text: String) -> ByteArray {
        if let Some(known) = self.texts.get(&text) {
            return known.clone();
        }
        let bytes: ByteArray = text.clone().into_bytes().into();
        self.bytes += text.len();
        self.texts.insert(text, bytes.clone());
        bytes
    }

    /// Columns in the order of the schema.
    fn write(
        &mut self,
        pieces: &[Piece],
        mut group: SerializedRowGroupWriter<'_, Vec<u8>>,
    ) -> Result<(), ParquetError> {
        let threads: Vec<Named> = self.threads(pieces);
        let thread = |of: fn(&Named) -> Option<ByteArray>| threads.iter().map(of);
        let times = pieces.iter().map(|piece| {
            let begin = u64::from(piece.part).saturating_mul(self.part_ns?);
            i64::try_from(begin / 1_000).ok()
        });
        optional::<Int64Type>(&mut group, times)?;
        optional::<Int32Type>(&mut group, threads.iter().map(|thread| thread.pid))?;
        optional::<ByteArrayType>(&mut group, thread(|thread| thread.process.clone()))?;
        optional::<Int32Type>(&mut group, threads.iter().map(|thread| thread.tid))?;
        required::<ByteArrayType>(&mut group, threads.iter().map(|thread| thread.name.clone()))?;
        let classes = pieces.iter().map(|piece| Some(ByteArray::from(piece.class?.name())));
        optional::<ByteArrayType>(&mut group, classes)?;
        let texts = || pieces.iter().filter_map(|piece| self.stacks.get(&piece.stack));
        required::<ByteArrayType>(&mut group, texts().map(|texts| texts.function.clone()))?;
        required::<ByteArrayType>(&mut group, texts().map(|texts| texts.file.clone()))?;
        required::<Int32Type>(&mut group, texts().map(|texts| texts.line))?;
        required::<ByteArrayType>(&mut group, texts().map(|texts| texts.leaf.clone()))?;
        required::<ByteArrayType>(&mut group, texts().map(|texts| texts.stack.clone()))?;
        required::<Int64Type>(&mut group, pieces.iter().map(|piece| piece.weight as i64))?;
        group.close()?;
        Ok(())
    }

    /// The thread of each piece; pieces of a thread follow each other.
    fn threads(&self, pieces: &[Piece]) -> Vec<Named> {
        let mut all: Vec<Named> = Vec::with_capacity(pieces.len());
        for own in pieces.chunk_by(|a, b| a.thread == b.thread) {
            let (known, process) = thread_of(self.profile, own[0].thread);
            let named = Named {
                pid: process.map(|process| process.pid as i32),
                process: process.map(|process| process_name(process).into_bytes().into()),
                tid: known.map(|thread| thread.tid as i32),
                name: thread_name(known, own[0].thread).into_bytes().into(),
            };
            all.extend(std::iter::repeat_n(named, own.len()));
        }
        all
    }
}

/// A thread in words. Numbers are unsigned; their column says so.
#[derive(Clone)]
struct Named {
    pid: Option<i32>,
    process: Option<ByteArray>,
    tid: Option<i32>,
    name: ByteArray,
}

/// Writes the next column.
fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = values.collect();
    column::<T>(group, &values, None)
}

/// Writes the next column, where values can be missing.
fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut known, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        known.extend(value);
    }
    column::<T>(group, &known, Some(&levels))
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("too few columns".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}
