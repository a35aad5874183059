use super::*;
use crate::stack::image;

#[test]
fn addresses_find_the_row_at_or_before_them() {
    let tables = Tables::of(image::session());
    let sp = |cfa| Rule::Sp { cfa, bp: SavedBp(0) };
    let rows = [(0x1000, sp(8)), (0x1001, sp(16)), (0x1800, Rule::Unknown)];
    let rows = rows.map(|(offset, rule)| (offset, rule.encode()));
    assert!(tables.publish(0x50_1000..0x50_2000, 0x50_0000, &rows));
    assert!(tables.publish(0x70_0000..0x70_1000, 0x70_0000, &[(0, sp(24).encode())]));
    let mut lookup = tables.lookup(&[]);
    for (pc, rule) in [
        (0x50_1000, sp(8)),
        (0x50_1001, sp(16)),
        (0x50_17ff, sp(16)),
        (0x50_1800, Rule::Unknown),
        (0x70_0000, sp(24)),
        (0x70_0fff, sp(24)),
        (0x50_1000, sp(8)),
    ] {
        assert_eq!(lookup.rule(pc), rule, "{pc:#x}");
    }
    assert_eq!(tables.take_wanted().count(), 0);
    assert_eq!(lookup.rule(0x50_0fff), Rule::Unknown);
    assert_eq!(lookup.rule(0x70_1000), Rule::Unknown);
    let mut wanted: Vec<u64> = tables.take_wanted().collect();
    wanted.sort_unstable();
    assert_eq!(wanted, [0x50_0fff, 0x70_1000]);
    assert_eq!(tables.take_wanted().count(), 0);
    assert!(lookup.has_asked() && !tables.lookup(&[]).has_asked());
    tables.hush(true);
    let mut lookup = tables.lookup(&[]);
    assert_eq!((lookup.rule(0x70_1000), lookup.has_asked()), (Rule::Unknown, false));
    assert_eq!(tables.take_wanted().count(), 0);
}

#[test]
fn a_cache_knows_what_the_tables_know() {
    let tables = Tables::of(image::session());
    let rule = |cfa| Rule::Sp { cfa, bp: SavedBp(0) }.encode();
    let rows: Vec<_> = (0..400).map(|n| (n * 16, rule(8 * (n % 50)))).collect();
    assert!(tables.publish(0x10_0000..0x10_1900, 0x10_0000, &rows));
    let cache: Vec<AtomicU64> = (0..16).map(|_| AtomicU64::new(0)).collect();
    let agree = |tables: Tables| {
        for round in 0..3_u64 {
            for pc in (0x0f_fff0..0x10_1a00).step_by(13) {
                let (with, without) = (tables.lookup(&cache), tables.lookup(&[]));
                let [with, without] = [with, without].map(|mut lookup| lookup.rule(pc + round));
                assert_eq!(with, without, "{pc:#x}");
                assert_eq!(tables.lookup(&cache).rule(pc + round), without, "again: {pc:#x}");
            }
        }
    };
    agree(tables);
    assert!(tables.publish(0x10_0800..0x10_0900, 0x10_0000, &[(0, rule(4096))]));
    agree(tables);
    assert_eq!(tables.lookup(&cache).rule(u64::MAX), Rule::Unknown);
}

#[test]
fn a_newer_module_covers_an_older_one_and_a_full_table_refuses() {
    let tables = Tables::of(image::session());
    assert!(tables.publish(0x1000..0x2000, 0, &[(0, Rule::End.encode())]));
    assert!(tables.publish(0x1800..0x1900, 0, &[(0, Rule::Plt.encode())]));
    assert_eq!(tables.lookup(&[]).rule(0x1800), Rule::Plt);
    assert_eq!(tables.lookup(&[]).rule(0x1700), Rule::End);
    let many = vec![(0, 1); ROWS];
    assert!(!tables.publish(0x3000..0x4000, 0, &many));
    assert_eq!(tables.lookup(&[]).rule(0x3000), Rule::Unknown);
    assert_eq!(tables.take_wanted().count(), 0, "it is known, without rows");
    while tables.publish(0x5000..0x6000, 0, &[]) {}
    assert_eq!(tables.lookup(&[]).rule(0x1800), Rule::Plt);
}

#[test]
fn a_withdrawn_module_is_asked_for_and_may_come_back() {
    let tables = Tables::of(image::session());
    let cache: Vec<AtomicU64> = (0..16).map(|_| AtomicU64::new(0)).collect();
    assert_eq!(tables.published(), 0);
    assert!(tables.publish(0x1000..0x2000, 0, &[(0, Rule::End.encode())]));
    assert_eq!((tables.published(), tables.lookup(&cache).rule(0x1800)), (1, Rule::End));
    tables.withdraw(0, 0x1000);
    assert_eq!(tables.lookup(&cache).rule(0x1800), Rule::Unknown, "the cache knows, too");
    assert_eq!(tables.take_wanted().next(), Some(0x1800));
    assert!(tables.publish(0x1000..0x1900, 0, &[(0, Rule::Plt.encode())]));
    assert_eq!(tables.lookup(&cache).rule(0x1800), Rule::Plt);
    tables.withdraw(1, 0x1000);
    tables.bring_back(0, 0x2000);
    assert_eq!(tables.lookup(&cache).rule(0x1800), Rule::End);
    tables.withdraw(MODULES, 0);
}

/// The program could have written anything there.
#[test]
fn nonsense_is_survived() {
    let tables = Tables::of(image::session());
    tables.words[0].store(u64::MAX, Ordering::Relaxed);
    for at in 0..4 {
        tables.words[MODULES_AT + at].store(u64::MAX, Ordering::Relaxed);
    }
    tables.words[MODULES_AT].store(0, Ordering::Relaxed);
    assert_eq!(tables.lookup(&[]).rule(0x1234), Rule::Unknown);
    assert!(!tables.publish(0..1, 0, &[]));
}
