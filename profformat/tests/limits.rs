//! The limits of a whole trace: a writer keeps them, and what it wrote a reader takes.

mod example;

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use profformat::limit;
use profformat::record::{Frame, Function, Lang, Process, Record, Thread};
use profformat::units::Timestamp;
use profformat::{TraceReader, TraceWriter};

/// Reads all of a trace that must be sound.
fn read(bytes: &[u8]) -> (Vec<Record>, [usize; 4]) {
    let mut reader = TraceReader::new(bytes).unwrap().strict();
    let records = reader.records().map(Result::unwrap).collect();
    assert!(reader.damage().is_sound(), "{:?}", reader.damage());
    (records, reader.tables().counts())
}

fn writer() -> TraceWriter<Vec<u8>> {
    TraceWriter::new(Vec::new(), &example::header(), example::PLAIN).unwrap()
}

#[test]
fn dictionaries_end_at_their_limits() {
    let mut writer = writer();
    let entries = limit::TABLE_ENTRIES as u32 + 10;
    let strings: Vec<_> = (0..entries).map(|n| writer.string(&n.to_le_bytes())).collect();
    let lang = Lang::Native;
    let of = |name| Function { name, file: strings[0], first_line: 0, lang };
    let functions: Vec<_> = strings.iter().map(|name| writer.function(of(*name))).collect();
    let frames: Vec<_> =
        functions.iter().map(|&function| writer.frame(Frame { function, line: 1 })).collect();
    let parent = writer.stack(None, frames[0]);
    let mut last = parent;
    for round in 0..limit::STACKS / limit::TABLE_ENTRIES + 1 {
        let parent = (round > 0).then_some(last);
        frames.iter().for_each(|frame| last = writer.stack(parent, *frame));
    }
    let most = [limit::TABLE_ENTRIES, limit::TABLE_ENTRIES, limit::TABLE_ENTRIES, limit::STACKS];
    assert_eq!(writer.tables().counts(), most);
    let tail = [strings[entries as usize - 1].number(), functions[entries as usize - 1].number()];
    assert_eq!(tail, [1, 0], "what is beyond is lost");
    let (_, counts) = read(&writer.finish(Timestamp::ZERO).unwrap());
    assert_eq!(counts, most);
}

#[test]
fn all_strings_end_at_their_limit() {
    let mut writer = writer();
    let text = |n: u32| [&n.to_le_bytes()[..], &[b'x'; limit::STRING_BYTES - 4]].concat();
    let count = (limit::ALL_STRING_BYTES / limit::STRING_BYTES) as u32;
    let ids: Vec<_> = (0..count + 10).map(|n| writer.string(&text(n))).collect();
    assert!(ids[count as usize - 2].number() > 1);
    assert!(ids[count as usize..].iter().all(|id| id.number() == 1));
    assert_eq!(writer.string(&text(5)), ids[5], "what is known stays known");
    read(&writer.finish(Timestamp::ZERO).unwrap());
}

#[test]
fn all_names_end_at_their_limit() {
    let mut writer = writer();
    let command: Vec<Vec<u8>> = vec![vec![b'x'; 1_000]; 100];
    let price: usize = command.iter().map(|word| word.len() + limit::NAME_PRICE).sum();
    let whole = limit::ALL_NAME_BYTES / price;
    let Record::Process(process) = example::process(0, None) else { return };
    for number in 0..whole as u32 + 50 {
        let id = profformat::ids::ProcessId::new(number);
        let python = String::new();
        let command = command.clone();
        writer.write(&Record::Process(Process { id, command, python, ..process.clone() })).unwrap();
    }
    let Record::Thread(thread) = example::thread(0) else { return };
    writer.write(&Record::Thread(Thread { name: vec![b'y'; 60_000], ..thread })).unwrap();
    let (records, _) = read(&writer.finish(Timestamp::ZERO).unwrap());
    let arguments = records.iter().filter_map(|record| match record {
        Record::Process(process) => Some(process.command.len()),
        _ => None,
    });
    let arguments: Vec<usize> = arguments.collect();
    assert!(arguments[..whole].iter().all(|count| *count == command.len()));
    assert!(arguments[whole] < command.len() && arguments[whole + 1..].iter().all(|n| *n == 0));
    let nameless = |record: &Record| matches!(record, Record::Thread(t) if t.name.is_empty());
    assert_eq!(records.iter().filter(|record| nameless(record)).count(), 1);
}

/// An output of which the length is seen while it is written.
struct Watched(Rc<Cell<usize>>);

impl io::Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_holds_few_bytes_of_notes() {
    let written = Rc::new(Cell::new(0));
    let out = Watched(Rc::clone(&written));
    let mut writer = TraceWriter::new(out, &example::header(), example::PLAIN).unwrap();
    for count in 1..200 {
        writer.write(&Record::Note(vec![b'x'; limit::STRING_BYTES])).unwrap();
        assert!(written.get() + (2 << 20) > count * limit::STRING_BYTES);
    }
}
