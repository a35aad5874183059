//! Damaged, cut and hostile files: never a panic, and what is whole is read.

mod example;

use std::io::{self, Write};

use example::{PLAIN, at};
use profformat::record::Record;
use profformat::recover::{check, recover, scan};
use profformat::{Error, TraceReader, TraceWriter, limit};

const FILE_HEADER: usize = 88;
const CHUNK_HEADER: usize = 32;

fn read(bytes: &[u8]) -> Result<(Vec<Record>, TraceReader<'_>), Error> {
    let mut reader = TraceReader::new(bytes)?;
    let records = reader.records().map(|record| record.expect("lenient")).collect();
    Ok((records, reader))
}

fn recovered(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    recover(bytes, &mut out, false).unwrap();
    let report = check(&out).unwrap();
    assert!(report.damage.is_sound(), "{report:?}");
    out
}

/// Where the chunks of a sound file begin and end.
fn chunks(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut at = FILE_HEADER;
    let mut all = Vec::new();
    while bytes[at..].starts_with(b"PCHK") {
        let stored = u32::from_le_bytes(bytes[at + 16..at + 20].try_into().unwrap()) as usize;
        all.push((at, at + CHUNK_HEADER + stored.next_multiple_of(8)));
        at = all[all.len() - 1].1;
    }
    assert_eq!(at + 32, bytes.len());
    all
}

#[test]
fn every_prefix_reads_all_of_its_whole_chunks() {
    let (records, bytes) = example::trace(PLAIN, 3);
    let chunks = chunks(&bytes);
    let mut readable = 0;
    for length in 0..bytes.len() {
        let prefix = &bytes[..length];
        let Ok((read, reader)) = read(prefix) else {
            assert!(length < FILE_HEADER);
            continue;
        };
        assert!(length >= FILE_HEADER);
        assert_eq!(read, records[..read.len()]);
        assert!(read.len() >= readable, "a longer prefix reads less at {length}");
        readable = read.len();
        let on_boundary = length == FILE_HEADER || chunks.iter().any(|(_, end)| *end == length);
        if on_boundary {
            assert_eq!(reader.damage().bytes, 0, "{length}");
        }
        assert!(!reader.damage().complete, "{length}");
        if length % 13 == 0 || on_boundary {
            let again = recovered(prefix);
            let again = self::read(&again).unwrap().0;
            assert_eq!(again[..read.len()], read);
        }
    }
    assert_eq!(readable, records.len());
}

#[test]
fn a_changed_byte_costs_one_chunk() {
    let (records, bytes) = example::trace(PLAIN, 3);
    let chunks = chunks(&bytes);
    for (offset, mask) in (0..bytes.len()).flat_map(|offset| [1, 0x80, 0xff].map(|m| (offset, m))) {
        let mut bytes = bytes.clone();
        bytes[offset] ^= mask;
        let Ok((read, reader)) = read(&bytes) else {
            assert!(offset < FILE_HEADER);
            continue;
        };
        assert!(offset >= FILE_HEADER, "a changed file header is not noticed at {offset}");
        let lost = records.iter().filter(|record| !read.contains(record)).count();
        let padding = chunks.iter().any(|&(begin, end)| {
            let stored = u32::from_le_bytes(bytes[begin + 16..begin + 20].try_into().unwrap());
            (begin + CHUNK_HEADER + stored as usize..end).contains(&offset)
        });
        assert_eq!(reader.damage().is_sound(), padding, "{offset}");
        // A block of three rounds has nine records at most.
        assert!(lost <= if padding { 0 } else { 9 }, "{lost} records lost at {offset}");
        if mask == 1 && offset % 7 == 0 {
            let again = recovered(&bytes);
            let again = self::read(&again).unwrap().0;
            // Definitions that were made up late stand where the writer puts definitions.
            assert!(read.iter().all(|record| again.contains(record)), "{offset}");
        }
    }
}

#[test]
fn a_missing_chunk_costs_itself() {
    let (records, bytes) = example::trace(PLAIN, 3);
    for (begin, end) in chunks(&bytes) {
        let without = [&bytes[..begin], &bytes[end..]].concat();
        let (read, reader) = read(&without).unwrap();
        let lost = records.iter().filter(|record| !read.contains(record)).count();
        assert!(lost <= 9, "{lost} records lost at {begin}");
        assert_eq!(reader.damage().missing, 1, "{begin}");
        recovered(&without);
    }
}

#[test]
fn a_scan_finds_what_a_disk_does_without_reading_payloads() {
    let (_, bytes) = example::trace(PLAIN, 3);
    let count = chunks(&bytes).len() as u64;
    let sound = scan(&bytes, |_| ()).unwrap();
    assert_eq!((sound.chunks, sound.damage.is_sound(), sound.first), (count, true, None));
    for (begin, _) in chunks(&bytes) {
        let mut changed = bytes.clone();
        changed[begin + CHUNK_HEADER] ^= 1;
        let found = scan(&changed, |_| ()).unwrap();
        assert_eq!((found.chunks, found.damage.chunks), (count - 1, 1), "{begin}");
        assert!(found.first.is_some());
    }
    assert!(!scan(&bytes[..bytes.len() - 1], |_| ()).unwrap().damage.is_sound());
}

#[test]
fn other_files_are_refused() {
    let error = |bytes: &[u8]| TraceReader::new(bytes).unwrap_err();
    assert_eq!(error(b""), Error::Empty);
    assert_eq!(error(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01"), Error::NotATrace);
    assert_eq!(error(&[0; 4096]), Error::NotATrace);
    assert_eq!(error(b"PROFTRC"), Error::HeaderCut { offset: 7 });
    let (_, mut bytes) = example::trace(PLAIN, 0);
    bytes[8] = 2;
    assert_eq!(error(&bytes), Error::Version { major: 2, minor: 4 });
}

#[test]
fn unknown_required_features_are_refused_and_optional_ones_are_not() {
    let (_, bytes) = example::trace(PLAIN, 1);
    let with = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] = 0x40;
        let crc = crc32fast::hash(&bytes[..84]);
        bytes[84..88].copy_from_slice(&crc.to_le_bytes());
        bytes
    };
    assert_eq!(TraceReader::new(&with(16)).unwrap_err(), Error::Required { flags: 0x40 });
    assert!(check(&with(20)).unwrap().damage.is_sound());
}

/// A chunk with right checksums around anything.
fn chunk(kind: u16, version: u8, flags: u8, sequence: u64, raw: u32, stored: &[u8]) -> Vec<u8> {
    let mut out = b"PCHK".to_vec();
    out.extend(kind.to_le_bytes());
    out.extend([version, flags]);
    out.extend(sequence.to_le_bytes());
    out.extend((stored.len() as u32).to_le_bytes());
    out.extend(raw.to_le_bytes());
    out.extend(crc32fast::hash(stored).to_le_bytes());
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out.extend(stored);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// The file header and the first chunk of a trace, then `chunks`.
fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let (_, bytes) = example::trace(PLAIN, 0);
    let first = self::chunks(&bytes)[0].1;
    [&bytes[..first], &chunks.concat()].concat()
}

fn plain(kind: u16, sequence: u64, payload: &[u8]) -> Vec<u8> {
    chunk(kind, 1, 0, sequence, payload.len() as u32, payload)
}

/// The fields of a payload: numbers in their width, columns with their length before them.
fn columns(numbers: &[u8], columns: &[&[u8]]) -> Vec<u8> {
    let mut out = numbers.to_vec();
    for column in columns {
        out.extend((column.len() as u64).to_le_bytes());
        out.extend(*column);
    }
    out
}

#[test]
fn hostile_payloads_are_skipped() {
    const HUGE: [u8; 8] = (1_u64 << 60).to_le_bytes();
    let u32s = |a: u32, b: u32| [a.to_le_bytes(), b.to_le_bytes()].concat();
    let payloads: Vec<(u16, Vec<u8>)> = vec![
        (2, u32s(2, u32::MAX)),
        (2, columns(&u32s(2, u32::MAX), &[b"", b""])),
        (2, columns(&u32s(2, 1), &[b"\x05", b"abc"])),
        (2, columns(&u32s(2, 1), &[b"\x01", b"abc"])),
        (2, columns(&u32s(u32::MAX, 1), &[b"\x01", b"a"])),
        (2, columns(&u32s(0, 1), &[b"\x01", b"a"])),
        (2, [u32s(2, 1), HUGE.to_vec()].concat()),
        (3, columns(&u32s(1, 1), &[b"\x01", b"\xff\xff\xff\xff\x0f", b"\0", b"\0"])),
        (4, columns(&u32s(1, 1), &[b"\x09", b"\0"])),
        // A stack that is its own ancestor.
        (5, columns(&u32s(0, 1), &[b"\x01", b"\0"])),
        (6, [0_u32.to_le_bytes().to_vec(), HUGE.to_vec()].concat()),
        (7, columns(&u32s(0, 1), &[b"\x05", b"\0", b"\0", b"\0", b""])),
        (8, [4_096_u32.to_le_bytes().to_vec(), vec![0; 8], HUGE.to_vec()].concat()),
        (
            8,
            columns(
                &[&1_u32.to_le_bytes()[..], &[0; 8]].concat(),
                &[b"", b"\0", b"\0", b"\0", b"\0"],
            ),
        ),
        (15, columns(&3_u32.to_le_bytes(), &[b"\x01\x01\x01", b"ab"])),
        (16, vec![1, 2, 3]),
        (17, vec![]),
    ];
    for (kind, payload) in payloads {
        let bytes = file(&[
            plain(kind, 1, &payload),
            plain(15, 2, &columns(&[1, 0, 0, 0], &[b"\x02", b"ok"])),
        ]);
        let (records, reader) = read(&bytes).unwrap();
        assert_eq!(records.last(), Some(&Record::Note(b"ok".to_vec())), "{kind} {payload:?}");
        assert_eq!(reader.damage().chunks, u64::from(kind != 17), "{kind} {payload:?}");
        assert_eq!(reader.damage().missing, 0);
        let mut strict = TraceReader::new(&bytes).unwrap().strict();
        assert!(kind == 17 || strict.records().any(|record| record.is_err()));
        recovered(&bytes);
    }
}

#[test]
fn huge_declared_lengths_are_refused_before_memory_is_reserved() {
    for (flags, raw) in [(0, u32::MAX), (1, u32::MAX), (1, limit::PAYLOAD_BYTES + 1), (1, 100_000)]
    {
        let bytes = file(&[chunk(2, 1, flags, 1, raw, b"tiny")]);
        let (_, reader) = read(&bytes).unwrap();
        assert_eq!(reader.damage().bytes, 40, "{flags} {raw}");
    }
    // A chunk that goes on beyond the end of the file hides no later one.
    let mut cut = plain(2, 1, &[7; 1_000]);
    cut.truncate(64);
    let bytes = file(&[cut, plain(15, 2, &columns(&[1, 0, 0, 0], &[b"\x02", b"ok"]))]);
    assert_eq!(read(&bytes).unwrap().0, [Record::Note(b"ok".to_vec())]);
}

#[cfg(feature = "zstd")]
#[test]
fn a_decompression_bomb_stays_in_its_bounds() {
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let raw = limit::PAYLOAD_BYTES.min(bomb.len() as u32 * limit::COMPRESSION_RATIO);
    let bytes = file(&[chunk(2, 1, 1, 1, raw, &bomb)]);
    assert_eq!(read(&bytes).unwrap().1.damage().chunks, 1);
}

#[test]
fn a_newer_minor_version_is_read_as_far_as_known() {
    let note = columns(&[1, 0, 0, 0], &[b"\x02", b"ok"]);
    let longer = [&note[..], b"a field of tomorrow"].concat();
    let bytes = file(&[
        plain(0x8001, 1, b"private"),
        chunk(15, 2, 0b100, 2, longer.len() as u32, &longer),
        chunk(15, 2, 0, 3, note.len() as u32, &note),
        chunk(15, 1, 2, 4, note.len() as u32, &note),
        plain(16, 5, &[0; 8]),
    ]);
    let (records, reader) = read(&bytes).unwrap();
    assert_eq!(records, [Record::Note(b"ok".to_vec()), Record::End(at(0))]);
    assert_eq!((reader.damage().unknown, reader.damage().unsupported), (2, 1));
    let damage = reader.damage();
    assert_eq!((damage.chunks, damage.bytes, damage.missing), (0, 0, 0));
}

/// What a release of tomorrow would write: version 2 of a block of samples, which has one column more.
fn samples_of_version_2(flags: u8, sequence: u64) -> Vec<u8> {
    let numbers = [&1_u32.to_le_bytes()[..], &7_u64.to_le_bytes()].concat();
    let cpus: &[u8] = b"\x05";
    let payload = columns(&numbers, &[b"\0", b"\0", b"\0", b"\x0a", b"\0", cpus]);
    chunk(8, 2, flags, sequence, payload.len() as u32, &payload)
}

/// A block of one copy, of version 1 or with the number of its copier's name.
fn copies(copier: Option<u64>, sequence: u64) -> Vec<u8> {
    let numbers = [&1_u32.to_le_bytes()[..], &7_u64.to_le_bytes()].concat();
    let copier_column = copier.map(|name| vec![2 * name as u8]);
    let mut all: Vec<&[u8]> = vec![b"\0", b"\0", b"\0", b"\0", b"\x05", b"\x0a"];
    all.extend(copier_column.as_deref());
    let payload = columns(&numbers, &all);
    let (version, flags) = if copier.is_some() { (2, 0b100) } else { (1, 0) };
    chunk(10, version, flags, sequence, payload.len() as u32, &payload)
}

#[test]
fn copies_have_the_copier_that_their_version_tells() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    let process = writer.process(1, &["app"]).unwrap();
    writer.thread(process, 1, "main").unwrap();
    writer.flush().unwrap();
    let sound = writer.finish(at(9)).unwrap();
    let definitions = chunks(&sound)[..3].to_vec();
    for (told, copier) in [(None, Some(0)), (Some(0), Some(0)), (Some(1), Some(1)), (Some(9), None)]
    {
        let mut bytes = sound[..definitions[2].1].to_vec();
        bytes.extend(copies(told, 3));
        let (records, reader) = read(&bytes).unwrap();
        let found = records.iter().find_map(|record| match record {
            Record::Copied(copied) => Some(copied.copier.number()),
            _ => None,
        });
        assert_eq!(found, copier, "{told:?}");
        // A block with a name that was not defined is damage as a whole.
        assert_eq!(reader.damage().chunks, u64::from(copier.is_none()));
    }
}

#[test]
fn a_second_version_of_a_block_is_read_when_it_only_appends_and_passed_over_else() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    let process = writer.process(1, &["app"]).unwrap();
    writer.thread(process, 1, "main").unwrap();
    writer.flush().unwrap();
    let sound = writer.finish(at(9)).unwrap();
    let definitions = chunks(&sound)[..3].to_vec();
    for (flags, read_samples) in [(0b100, 1), (0, 0)] {
        let mut bytes = sound[..definitions[2].1].to_vec();
        bytes.extend(samples_of_version_2(flags, 3));
        let (records, reader) = read(&bytes).unwrap();
        let samples: Vec<_> =
            records.iter().filter(|record| matches!(record, Record::Sample(_))).collect();
        assert_eq!(samples.len(), read_samples);
        if let Some(Record::Sample(sample)) = samples.first() {
            assert_eq!((sample.time, sample.weight_ns), (at(12), 5_000));
        }
        assert_eq!(reader.damage().unknown as usize, 1 - read_samples);
        assert_eq!((reader.damage().chunks, reader.damage().missing), (0, 0));
    }
}

#[test]
fn a_repeated_chunk_does_not_count_twice() {
    let note = plain(15, 1, &columns(&[1, 0, 0, 0], &[b"\x02", b"ok"]));
    let bytes = file(&[note.clone(), note]);
    let (records, reader) = read(&bytes).unwrap();
    assert_eq!((records.len(), reader.damage().chunks), (1, 1));
}

#[test]
fn a_second_end_is_damage() {
    let bytes = file(&[plain(16, 1, &[0; 8]), plain(16, 2, &[0; 8])]);
    let (records, reader) = read(&bytes).unwrap();
    assert_eq!((records.len(), reader.damage().chunks), (1, 1));
    assert_eq!(read(&recovered(&bytes)).unwrap().0.len(), 1);
}

#[test]
fn the_largest_sequence_number_is_survived() {
    let note = columns(&[1, 0, 0, 0], &[b"\x02", b"ok"]);
    let bytes = file(&[plain(15, u64::MAX, &note), plain(15, 1, &note), b"nothing ".to_vec()]);
    assert_eq!(read(&bytes).unwrap().0, [Record::Note(b"ok".to_vec())]);
    recovered(&bytes);
}

#[test]
fn processes_made_up_for_a_parent_have_ids_in_order() {
    let process = |parent: u64| [&parent.to_le_bytes()[..], &[0; 4 + 8 + 1 + 8 + 8]].concat();
    let list = [&0_u32.to_le_bytes()[..], &2_u64.to_le_bytes(), &process(0), &process(6)].concat();
    let bytes = file(&[plain(0x8001, 1, b"private"), plain(6, 2, &list)]);
    let ids = read(&bytes).unwrap().0.into_iter().map(|record| match record {
        Record::Process(process) => process.id.number(),
        other => panic!("{other:?}"),
    });
    assert_eq!(ids.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    recovered(&bytes);
}

/// An output that fails a number of times once it is full.
struct FullForAWhile {
    bytes: Vec<u8>,
    room: usize,
    failures: usize,
}

impl Write for FullForAWhile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room - self.bytes.len().min(self.room);
        if bytes.len() <= room || self.failures == 0 {
            self.bytes.extend(bytes);
            return Ok(bytes.len());
        }
        if room == 0 {
            self.failures -= 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_for_a_while_costs_what_did_not_fit_meanwhile() {
    let note = |i: u8| Record::Note(vec![i; 20]);
    for (room, failures) in
        (FILE_HEADER + 200..FILE_HEADER + 900).zip([1, 2, 3].into_iter().cycle())
    {
        let out = FullForAWhile { bytes: Vec::new(), room, failures };
        let mut writer = TraceWriter::new(out, &example::header(), PLAIN).unwrap();
        let mut failed = Vec::new();
        for i in 0..20 {
            writer.write(&note(i)).unwrap();
            if writer.flush().is_err() {
                failed.push(i);
            }
        }
        let bytes = writer.finish(at(1)).unwrap().bytes;
        let (records, reader) = read(&bytes).unwrap();
        // The first chunk that failed was only late.
        let wanted: Vec<_> =
            (0..20).filter(|i| !failed.iter().skip(1).any(|f| f == i)).map(note).collect();
        assert_eq!(records[..records.len() - 1], wanted, "{room}");
        assert_eq!(failed.len(), failures);
        assert_eq!(reader.damage().missing, failures as u64 - 1, "{room}");
        assert_eq!((reader.damage().bytes, reader.damage().complete), (0, true));
    }
}
