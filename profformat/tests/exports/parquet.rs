//! Parquet read back, row by row.

use std::collections::BTreeMap;
use std::io::Write;

use parquet::file::metadata::KeyValue;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use profformat::analysis::Profile;
use profformat::export::{Format, Metric};

use crate::totals::{ByClass, ByStack, text};

fn field(row: &Row, name: &str) -> Field {
    row.get_column_iter().find(|(column, _)| *column == name).unwrap().1.clone()
}

fn word(row: &Row, name: &str) -> String {
    match field(row, name) {
        Field::Str(text) => text,
        Field::Null => String::new(),
        other => panic!("{name} is {other:?}"),
    }
}

fn number(row: &Row, name: &str) -> u64 {
    match field(row, name) {
        Field::UInt(number) => number.into(),
        Field::ULong(number) => number,
        other => panic!("{name} is {other:?}"),
    }
}

/// The rows of a metric's file, and the facts beside them.
fn rows(profile: &Profile, metric: Metric) -> (Vec<Row>, Vec<KeyValue>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&text(profile, Format::Parquet, metric)).unwrap();
    let file = SerializedFileReader::new(file).unwrap();
    let facts = file.metadata().file_metadata().key_value_metadata().unwrap().clone();
    (file.get_row_iter(None).unwrap().map(Result::unwrap).collect(), facts)
}

/// Stack, thread and weight of every row.
pub(crate) fn weights(profile: &Profile, metric: Metric) -> Vec<(String, u64, u64)> {
    let of = |row: &Row| (word(row, "stack"), number(row, "tid"), number(row, "weight"));
    rows(profile, metric).0.iter().map(of).collect()
}

/// Asserts that a file says of stacks, threads and classes what the other outputs do.
pub(crate) fn check(
    profile: &Profile,
    metric: Metric,
    (stacks, threads, classes): (&ByStack, &BTreeMap<u64, u64>, &ByClass),
) {
    let (rows, facts) = rows(profile, metric);
    let fact = |key: &str| facts.iter().find(|fact| fact.key == key).unwrap().value.clone();
    assert_eq!(fact("prof.metric").as_deref(), Some(metric.name()));
    assert_eq!(fact("prof.unit").as_deref(), Some(metric.unit().name()));
    let (mut by_stack, mut by_thread, mut by_class) =
        (ByStack::new(), BTreeMap::new(), ByClass::new());
    for row in rows {
        let (stack, tid, weight) =
            (word(&row, "stack"), number(&row, "tid"), number(&row, "weight"));
        assert_eq!((tid - 5000) / 2, number(&row, "pid") - 4000);
        let frames: Vec<&str> = stack.split(';').collect();
        let leaf = word(&row, "leaf").replace(';', "\\x3b");
        assert!(frames.last().unwrap().starts_with(&leaf), "{leaf} is not where {stack} ends");
        // What a weight counts for is on its stack, and is Python if anything is.
        let function = word(&row, "function").replace(';', "\\x3b");
        let place = crate::totals::label(&function, &word(&row, "file"), number(&row, "line"));
        assert!(frames.contains(&place.as_str()), "{place} is not in {stack}");
        assert!(word(&row, "file") == "app.py" || !stack.contains("app.py"), "{place} of {stack}");
        *by_stack.entry(stack).or_insert(0) += weight;
        *by_thread.entry(tid).or_insert(0) += weight;
        *by_class.entry((tid, word(&row, "class"))).or_insert(0) += weight;
    }
    assert_eq!(&by_stack, stacks, "{metric:?} by stack");
    assert_eq!(&by_thread, threads, "{metric:?} by thread");
    if matches!(metric, Metric::Cpu | Metric::Wall) {
        assert_eq!(&by_class, classes, "{metric:?} by class");
    }
}
