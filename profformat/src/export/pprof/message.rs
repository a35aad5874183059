//! Messages of pprof's `profile.proto`, as far as they are written here.

/// A whole profile.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Profile {
    /// What the values of every sample are.
    #[prost(message, repeated, tag = "1")]
    pub sample_type: Vec<ValueType>,
    /// The samples.
    #[prost(message, repeated, tag = "2")]
    pub sample: Vec<Sample>,
    /// Program images; the first is the program.
    #[prost(message, repeated, tag = "3")]
    pub mapping: Vec<Mapping>,
    /// Places that samples refer to.
    #[prost(message, repeated, tag = "4")]
    pub location: Vec<Location>,
    /// Functions that places refer to.
    #[prost(message, repeated, tag = "5")]
    pub function: Vec<Function>,
    /// Strings, by position; the first is empty.
    #[prost(string, repeated, tag = "6")]
    pub string_table: Vec<String>,
    /// Start of the run, nanoseconds since the Unix epoch.
    #[prost(int64, tag = "9")]
    pub time_nanos: i64,
    /// Length of the run, nanoseconds.
    #[prost(int64, tag = "10")]
    pub duration_nanos: i64,
    /// What `period` is in.
    #[prost(message, optional, tag = "11")]
    pub period_type: Option<ValueType>,
    /// Expected distance of samples.
    #[prost(int64, tag = "12")]
    pub period: i64,
    /// Words for the reader, as string numbers.
    #[prost(int64, repeated, tag = "13")]
    pub comment: Vec<i64>,
    /// Name of the sample type to show first, as a string number.
    #[prost(int64, tag = "14")]
    pub default_sample_type: i64,
}

/// A name and a unit, as string numbers.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ValueType {
    /// The name.
    #[prost(int64, tag = "1")]
    pub r#type: i64,
    /// The unit.
    #[prost(int64, tag = "2")]
    pub unit: i64,
}

/// Values of one stack.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sample {
    /// The stack, innermost first.
    #[prost(uint64, repeated, tag = "1")]
    pub location_id: Vec<u64>,
    /// One value for each sample type.
    #[prost(int64, repeated, tag = "2")]
    pub value: Vec<i64>,
    /// What else is known.
    #[prost(message, repeated, tag = "3")]
    pub label: Vec<Label>,
}

/// A key with a string or a number.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Label {
    /// The key, a string number.
    #[prost(int64, tag = "1")]
    pub key: i64,
    /// The string's number, 0 for none.
    #[prost(int64, tag = "2")]
    pub str: i64,
    /// The number.
    #[prost(int64, tag = "3")]
    pub num: i64,
}

/// A program image.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Mapping {
    /// Not 0.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Its path, a string number.
    #[prost(int64, tag = "5")]
    pub filename: i64,
    /// Its build id in hexadecimal digits, a string number.
    #[prost(int64, tag = "6")]
    pub build_id: i64,
    /// Nobody need look up functions.
    #[prost(bool, tag = "7")]
    pub has_functions: bool,
    /// Nobody need look up files.
    #[prost(bool, tag = "8")]
    pub has_filenames: bool,
    /// Nobody need look up lines.
    #[prost(bool, tag = "9")]
    pub has_line_numbers: bool,
    /// Nobody need look up inlined functions.
    #[prost(bool, tag = "10")]
    pub has_inline_frames: bool,
}

/// A place in a program.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Location {
    /// Not 0.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Its program image.
    #[prost(uint64, tag = "2")]
    pub mapping_id: u64,
    /// Its lines, innermost inlined function first.
    #[prost(message, repeated, tag = "4")]
    pub line: Vec<Line>,
}

/// A line of a function.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Line {
    /// The function.
    #[prost(uint64, tag = "1")]
    pub function_id: u64,
    /// The line, 0 when unknown.
    #[prost(int64, tag = "2")]
    pub line: i64,
}

/// A function.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Function {
    /// Not 0.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Its name, a string number.
    #[prost(int64, tag = "2")]
    pub name: i64,
    // Field 3, the linker's name, is left out: of one that equals the name, pprof takes what stands between `<` and `>` for
    // arguments of a template, and cuts it out. Of `<module>` nothing would be left.
    /// Its file, a string number.
    #[prost(int64, tag = "4")]
    pub filename: i64,
    /// Line of its definition.
    #[prost(int64, tag = "5")]
    pub start_line: i64,
}
