//! A trace that is read as it grows says what it says when it is read as a whole.

mod example;
mod made;

use example::PLAIN;
use made::made;
use profformat::follow::Follower;
use profformat::reader::Damage;
use profformat::record::Record;
use profformat::{Error, TraceReader};
use proptest::prelude::*;

/// What a follower hands out when the bytes come in pieces of these lengths, again and again.
fn followed(bytes: &[u8], lengths: &[usize]) -> (Vec<Record>, Follower) {
    let (mut follower, mut records, mut rest) = (Follower::new(), Vec::new(), bytes);
    for length in lengths.iter().cycle() {
        let (piece, behind) = rest.split_at(rest.len().min(*length));
        let take = |block: &profformat::Block<'_>, _: &_| records.extend(block.records());
        follower.read(piece, take).unwrap();
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    (records, follower)
}

fn read(bytes: &[u8]) -> (Vec<Record>, Damage) {
    let mut reader = TraceReader::new(bytes).unwrap();
    let records = reader.records().map(|record| record.unwrap()).collect();
    (records, *reader.damage())
}

proptest! {
    #[test]
    fn pieces_of_any_length_say_the_same(
        made in made(),
        lengths in prop::collection::vec(1..3_000_usize, 1..9),
    ) {
        let bytes = made::trace(&made);
        let (records, follower) = followed(&bytes, &lengths);
        let (whole, damage) = read(&bytes);
        prop_assert_eq!(records, whole);
        prop_assert_eq!(follower.damage(), damage);
        prop_assert!(follower.is_complete());
        let reader = TraceReader::new(&bytes).unwrap();
        prop_assert_eq!(follower.header(), Some(reader.header()));
    }

    #[test]
    fn damage_is_passed_over_and_counted(
        made in made(),
        hits in prop::collection::vec((88..usize::MAX, any::<u8>()), 1..20),
        lengths in prop::collection::vec(1..3_000_usize, 1..9),
    ) {
        let mut bytes = made::trace(&made);
        for (at, value) in hits {
            let length = bytes.len();
            bytes[88 + at % (length - 88)] = value;
        }
        let (records, follower) = followed(&bytes, &lengths);
        let (whole, damage) = read(&bytes);
        // What may be made up for lost entries depends on the file's length, which is not known yet.
        prop_assert!(records.len() <= whole.len());
        prop_assert_eq!(follower.is_complete(), damage.complete);
        prop_assert_eq!(follower.damage().is_sound(), damage.is_sound());
    }
}

#[test]
fn what_is_handed_out_of_a_prefix_is_all_of_its_whole_chunks() {
    let (_, bytes) = example::trace(PLAIN, 3);
    let mut follower = Follower::new();
    let mut records = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        follower.read(&[*byte], |block, _| records.extend(block.records())).unwrap();
        let prefix = &bytes[..=at];
        let whole = TraceReader::new(prefix).map(|_| read(prefix).0).unwrap_or_default();
        // A reader takes a chunk whose last zeros are missing; the follower waits for them.
        assert!(records.len() <= whole.len(), "{at}");
        if at % 8 == 7 {
            assert_eq!(records, whole, "{at}");
        }
        assert_eq!(follower.header().is_some(), at >= 87);
        assert_eq!(follower.damage().bytes, 0);
    }
    assert!(follower.is_complete());
}

#[test]
fn what_comes_behind_the_end_is_left_aside() {
    let (records, mut bytes) = example::trace(PLAIN, 3);
    bytes.extend_from_slice(&[7; 1_000]);
    let (followed, follower) = followed(&bytes, &[bytes.len()]);
    assert_eq!(followed, records);
    assert!(follower.damage().is_sound());
}

#[test]
fn what_is_no_trace_is_refused_at_once() {
    let mut follower = Follower::new();
    assert_eq!(follower.read(b"PROF", |_, _| ()), Ok(()));
    assert_eq!(follower.read(b"ILE, a letter", |_, _| ()), Err(Error::NotATrace));
}
