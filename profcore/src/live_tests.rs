//! Followed and let go, full tables, ends that are marked, threads that hand blocks on.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

fn alive(id: u64) -> Option<Followed> {
    Some(Followed { id, has_ended: false })
}

struct Memory {
    filter: Vec<AtomicU64>,
    table: Vec<AtomicU64>,
}

impl Memory {
    fn new() -> Self {
        Self { filter: words(FILTER_WORDS), table: words(2 * LIVE_ENTRIES) }
    }

    fn live(&self) -> Live<'_> {
        Live { filter: &self.filter, table: &self.table }
    }

    fn is_empty(&self) -> bool {
        self.filter.iter().all(|word| word.load(Relaxed) == 0)
            && self.table.iter().step_by(2).all(|word| word.load(Relaxed) == 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn behaves_like_a_map(steps in prop::collection::vec((0_u64..200, any::<bool>()), 1..600)) {
        let memory = Memory::new();
        let (live, mut oracle) = (memory.live(), HashMap::new());
        for (id, (place, insert)) in (1_u64..).zip(steps) {
            let address = (place + 1) * 48;
            if insert {
                let expected = match oracle.insert(address, id) {
                    Some(old) => Inserted::Replaced(old),
                    None => Inserted::Followed,
                };
                prop_assert_eq!(live.insert(address, id), expected);
            } else {
                prop_assert_eq!(live.remove(address), oracle.remove(&address).and_then(alive));
            }
            for (&address, &id) in &oracle {
                prop_assert!(live.may_hold(address));
                prop_assert_eq!(live.find(address), alive(id));
            }
        }
        for address in oracle.into_keys() {
            live.remove(address);
        }
        prop_assert!(memory.is_empty(), "the filter forgets what the table forgets");
    }
}

#[test]
fn fills_well_and_says_when_it_is_full() {
    let memory = Memory::new();
    let live = memory.live();
    let mut refused = 0;
    for n in 1..=LIVE_ENTRIES as u64 {
        let inserted = live.insert(n * 64, n);
        refused += u64::from(inserted == Inserted::Full);
        if n as usize == LIVE_ENTRIES * 70 / 100 {
            assert_eq!(refused, 0, "no refusal below 70 % load");
        }
        if n as usize == LIVE_ENTRIES * 85 / 100 {
            assert!(refused < n / 200, "{refused} refused at 85 % load");
        }
    }
    assert!(refused > 0 && refused < LIVE_ENTRIES as u64 / 10, "{refused}");
    let kept = (1..=LIVE_ENTRIES as u64).filter(|n| live.find(n * 64) == alive(*n)).count();
    assert_eq!(kept as u64 + refused, LIVE_ENTRIES as u64);
}

#[test]
fn a_stuck_counter_never_denies_a_followed_block() {
    let memory = Memory::new();
    let live = memory.live();
    // Addresses 8 MiB apart have one counter in common.
    let addresses: Vec<u64> = (1..=300).map(|n| n << 23 | 0x80).collect();
    for &address in &addresses {
        assert_eq!(live.insert(address, address), Inserted::Followed);
    }
    for &address in &addresses[..299] {
        assert_eq!(live.remove(address), alive(address));
        assert!(live.may_hold(addresses[299]));
    }
    assert_eq!(live.find(0x80), None);
    assert_eq!((live.find(0), live.remove(0)), (None, None));
    let neighbors = memory.filter[0].load(Relaxed) & !0xff00;
    assert_eq!(neighbors, 0, "the bytes beside it were not touched");
}

#[test]
fn an_ended_block_keeps_its_entry_until_the_address_is_asked_for() {
    let memory = Memory::new();
    let live = memory.live();
    for id in 1..=9 {
        live.insert(64 * id, id);
    }
    for id in [3, 5, 7] {
        live.mark_ended(64 * id);
    }
    live.mark_ended(64 * 100);
    let ended = |live: Live<'_>| {
        let mut ids: Vec<u64> = live.ended().collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ended(live), [3, 5, 7]);
    assert_eq!(live.find(64 * 3), Some(Followed { id: 3, has_ended: true }));
    assert_eq!(live.remove(64 * 3), Some(Followed { id: 3, has_ended: true }));
    assert_eq!(live.insert(64 * 5, 20), Inserted::Replaced(5));
    assert_eq!(live.find(64 * 5), alive(20));
    assert_eq!(ended(live), [7]);
}

#[test]
fn threads_hand_blocks_over_and_none_is_lost() {
    // Each thread inserts addresses of its own and passes every other one to its neighbor for removal;
    // the channel is the program's hand-over of a block.
    const THREADS: u64 = 4;
    const BLOCKS: u64 = 20_000;
    let memory = Memory::new();
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| std::sync::mpsc::sync_channel::<(u64, u64)>(64)).unzip();
    std::thread::scope(|scope| {
        for (thread, received) in (0..THREADS).zip(receivers) {
            let next = senders[((thread + 1) % THREADS) as usize].clone();
            let live = memory.live();
            scope.spawn(move || {
                for n in 0..BLOCKS {
                    let address = (n % 97 * THREADS + thread + 1) * 16;
                    let id = n * THREADS + thread + 1;
                    // The neighbor may still hold this address: then it is not ours to use yet.
                    if live.find(address).is_none() {
                        assert_eq!(live.insert(address, id), Inserted::Followed);
                        assert!(live.may_hold(address));
                        if n % 2 == 0 || next.try_send((address, id)).is_err() {
                            assert_eq!(live.remove(address), alive(id));
                        }
                    }
                    while let Ok((address, id)) = received.try_recv() {
                        assert!(live.may_hold(address));
                        assert_eq!(live.remove(address), alive(id));
                    }
                }
                drop(next);
                while let Ok((address, id)) = received.recv() {
                    assert_eq!(live.remove(address), alive(id));
                }
            });
        }
        drop(senders);
    });
    assert!(memory.is_empty());
}

#[test]
fn of_two_who_free_the_same_block_one_gets_it() {
    let memory = Memory::new();
    let live = memory.live();
    for id in 1..2000 {
        live.insert(4096, id);
        let both = std::thread::scope(|scope| {
            let other = scope.spawn(|| live.remove(4096));
            [live.remove(4096), other.join().unwrap()]
        });
        let both: Vec<u64> = both.into_iter().flatten().map(|block| block.id).collect();
        assert_eq!(both, [id]);
    }
    assert!(memory.is_empty());
}
