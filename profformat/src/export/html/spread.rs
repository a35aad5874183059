//! Lays weights out over the time that they stand for.
//!
//! A sample tells of the time before it: of the CPU time since the tick before, or of a wait that has ended. In one part of
//! the run no thread has more time than the part is long, so what is more was spent in the parts before.

use std::cmp::Reverse;

use super::time::Entry;

/// Entries that are made at most, for each one that is left by whoever asks: parts are longer before there are more.
const MOST: usize = 2;

/// How many entries there would be at most, with parts of this length.
fn count(entries: &[Entry], part_ns: u64) -> usize {
    let parts = |entry: &Entry| {
        let before = (entry.weight_ns / part_ns).min(entry.part.into());
        usize::try_from(before).unwrap_or(usize::MAX).saturating_add(1)
    };
    entries.iter().map(parts).fold(0, usize::saturating_add)
}

/// Would there be too many, so that parts must be longer?
pub(super) fn is_too_fine(entries: &[Entry], part_ns: u64, room: usize) -> bool {
    count(entries, part_ns) > entries.len().max(room.saturating_mul(MOST))
}

/// Moves what does not fit into a part to those before it, thread by thread, no further back than its own length: clocks
/// of threads and of the run differ a little, and that must not add up. Threads are those of the trace, not groups of them.
pub(super) fn spread(entries: &mut Vec<Entry>, part_ns: u64) {
    // Waits take what is left: several short ones are told as one. And of those that ended in one part, only the longest can
    // have begun long before.
    entries.sort_unstable_by_key(|entry| {
        let is_wait = !entry.class.on_cpu();
        let place = (entry.node, entry.class.code());
        (entry.thread, is_wait, Reverse(entry.part), entry.weight_ns, place)
    });
    let parts = entries.iter().map(|entry| entry.part as usize + 1).max().unwrap_or(0);
    let most = count(entries, part_ns);
    let given = std::mem::replace(entries, Vec::with_capacity(most));
    let mut room = vec![part_ns; parts];
    for of_thread in given.chunk_by(|a, b| a.thread == b.thread) {
        let begin = entries.len();
        for entry in of_thread {
            lay_out(entry, part_ns, &mut room, entries);
        }
        for entry in &entries[begin..] {
            room[entry.part as usize] = part_ns;
        }
    }
}

/// Lays one entry out from its part backwards, where there is room.
fn lay_out(entry: &Entry, part_ns: u64, room: &mut [u64], out: &mut Vec<Entry>) {
    let length = entry.weight_ns.div_ceil(part_ns).try_into().unwrap_or(u32::MAX);
    let earliest = entry.part.saturating_sub(length);
    let mut left = entry.weight_ns;
    for part in (earliest..=entry.part).rev() {
        let room = &mut room[part as usize];
        // There is no room as far back as it goes.
        let weight_ns = if part == earliest { left } else { left.min(*room) };
        if weight_ns > 0 {
            out.push(Entry { part, weight_ns, ..*entry });
            *room = room.saturating_sub(weight_ns);
            left -= weight_ns;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::record::Class::{self, Python as ON, Wait as OFF};

    const PART: u64 = 100;

    fn entry(part: u32, class: Class, weight_ns: u64) -> Entry {
        Entry { part, thread: 0, node: 1, class, weight_ns }
    }

    fn laid_out(mut entries: Vec<Entry>) -> Vec<(u32, Class, u64)> {
        spread(&mut entries, PART);
        entries.sort_by_key(|entry| (entry.part, entry.class.code()));
        entries.iter().map(|entry| (entry.part, entry.class, entry.weight_ns)).collect()
    }

    #[test]
    fn what_does_not_fit_was_before() {
        assert_eq!(laid_out(vec![entry(3, ON, 250)]), [(1, ON, 50), (2, ON, 100), (3, ON, 100)]);
        // A wait ended, then came what ran.
        let woke = vec![entry(5, OFF, 230), entry(5, ON, 30)];
        assert_eq!(laid_out(woke), [(3, OFF, 60), (4, OFF, 100), (5, ON, 30), (5, OFF, 70)]);
    }

    #[test]
    fn nothing_goes_back_by_more_than_its_length() {
        let full = vec![entry(4, ON, 100), entry(3, ON, 100), entry(4, OFF, 40)];
        assert_eq!(laid_out(full), [(3, ON, 100), (3, OFF, 40), (4, ON, 100)]);
        // A wait told late is no reason to move what ran.
        let lump =
            vec![entry(9, OFF, 250), entry(9, ON, 100), entry(8, ON, 100), entry(7, ON, 100)];
        let expected = [(6, OFF, 250), (7, ON, 100), (8, ON, 100), (9, ON, 100)];
        assert_eq!(laid_out(lump), expected);
        let crowded = vec![entry(4, ON, 90), entry(4, OFF, 80), entry(4, Class::Gc, 90)];
        let sum = |all: &[(u32, Class, u64)]| all.iter().map(|(_, _, ns)| ns).sum::<u64>();
        assert_eq!(sum(&laid_out(crowded.clone())), 260);
        assert!(laid_out(crowded).iter().all(|(part, ..)| *part >= 3));
        assert_eq!(laid_out(vec![entry(0, ON, 1_000)]), [(0, ON, 1_000)]);
        assert_eq!(laid_out(vec![entry(1, ON, u64::MAX)]), [(0, ON, u64::MAX - 100), (1, ON, 100)]);
    }

    proptest! {
        #[test]
        fn a_thread_has_no_more_cpu_time_than_there_is_time(
            spans in prop::collection::vec((any::<bool>(), 1..700_u64), 1..60),
        ) {
            // A thread that runs and waits, and a sample at the end of each.
            let (mut now, mut entries) = (0, Vec::new());
            for (runs, length) in spans {
                now += length;
                let class = if runs { ON } else { OFF };
                entries.push(entry(((now - 1) / PART) as u32, class, length));
            }
            let mut found: BTreeMap<u32, u64> = BTreeMap::new();
            let mut by_class = [0; 2];
            for (part, class, ns) in laid_out(entries.clone()) {
                if class == ON {
                    *found.entry(part).or_default() += ns;
                }
                by_class[usize::from(class == ON)] += ns;
                prop_assert!(u64::from(part) <= (now - 1) / PART);
            }
            for (class, sum) in [(OFF, by_class[0]), (ON, by_class[1])] {
                let of = entries.iter().filter(|entry| entry.class == class);
                prop_assert_eq!(sum, of.map(|entry| entry.weight_ns).sum::<u64>());
            }
            prop_assert!(found.values().all(|ns| *ns <= PART), "{found:?}");
        }
    }

    #[test]
    fn parts_become_longer_before_there_are_too_many() {
        let waits: Vec<Entry> =
            (0..50).map(|thread| Entry { thread, ..entry(999, OFF, 100_000) }).collect();
        assert!(!is_too_fine(&waits, PART, 25_000));
        assert!(is_too_fine(&waits, PART, 24_000));
        assert!(!is_too_fine(&waits, PART * 2, 24_000));
    }
}
