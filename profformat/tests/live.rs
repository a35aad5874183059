//! Figures of a run that goes on, against the analysis of the same records at once.

mod made;

use std::collections::BTreeMap;

use made::{Made, Told, made};
use profformat::TraceReader;
use profformat::analysis::live::{By, Key, Live, ROWS, Window};
use profformat::analysis::sites::{self, FunctionSum, Site};
use profformat::analysis::{Profile, books};
use profformat::record::{Class, Lang, Record, Sample};
use profformat::tables::Tables;
use profformat::units::Timestamp;
use proptest::prelude::*;

/// Self times, samples, squares; total time; copied and held bytes.
type Row = ([u64; 6], u64, u128, u64, u64, u64);

fn live(bytes: &[u8]) -> (Live, Tables) {
    let mut live = Live::new();
    let mut reader = TraceReader::new(bytes).unwrap();
    while reader.next_block().is_some() {
        live.block(&reader.block(), reader.tables());
    }
    let tables = reader.into_tables();
    live.look_at_held(&tables);
    (live, tables)
}

fn rows(live: &Live, tables: &Tables, by: By, window: Window) -> BTreeMap<String, Row> {
    let group = live.group(by);
    let rows = (0..group.len()).map(|number| {
        let name = match group.key(number) {
            Key::Spot(spot) => {
                let (file, function) = (tables.text(spot.file), tables.text(spot.function));
                format!("{file}:{} {function}", spot.line)
            }
            Key::NoStack => ":0 [no stack]".into(),
            Key::Other => "other".into(),
            Key::Thread(thread) => thread.number().to_string(),
        };
        let f = group.figures(number, window);
        let held = if window == Window::All { group.held(number) } else { 0 };
        (name, (f.self_ns, f.samples, f.squares, f.total_cpu_ns(), f.copied, held))
    });
    rows.filter(|(_, row)| *row != Row::default()).collect()
}

fn name(
    profile: &Profile,
    file: profformat::ids::StringId,
    line: u32,
    function: profformat::ids::StringId,
) -> String {
    format!("{}:{line} {}", profile.tables.text(file), profile.tables.text(function))
}

fn of_sites(profile: &Profile, with_held: bool) -> BTreeMap<String, Row> {
    let row = |s: &Site| {
        let held = if with_held { s.live_at_end_bytes } else { 0 };
        (s.self_ns, s.samples, s.self_squares, s.total_cpu_ns, s.copy_bytes, held)
    };
    let sites = sites::sites(profile);
    let rows = sites.iter().map(|s| (name(profile, s.file, s.line, s.function), row(s)));
    rows.filter(|(_, row)| *row != Row::default()).collect()
}

fn of_functions(profile: &Profile) -> BTreeMap<String, Row> {
    let row = |f: &FunctionSum| (f.self_ns, f.samples, f.self_squares, f.total_cpu_ns, 0, 0);
    let functions = sites::functions(profile);
    functions.iter().map(|f| (name(profile, f.file, f.first_line, f.function), row(f))).collect()
}

/// The profile of the records that a window holds.
fn part(told: &Told, window: Window, now: Timestamp) -> Profile {
    let second = |time: Timestamp| time.as_nanos() / 1_000_000_000;
    let holds = |time: Timestamp| {
        window.seconds().is_none_or(|span| second(now).saturating_sub(second(time)) < span)
    };
    let records: Vec<Record> = told
        .records
        .iter()
        .filter(|record| {
            !matches!(record, Record::Sample(_) | Record::Copied(_))
                || record.time().is_some_and(holds)
        })
        .cloned()
        .collect();
    Profile::from_records(told.header.clone(), told.tables.clone(), || records.iter())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_window_has_the_figures_of_its_records(mut made in made(), events in 0..4_000_usize) {
        made.events = events;
        let bytes = made::trace(&made);
        let told = Told::of(&bytes);
        let (live, tables) = live(&bytes);
        for window in Window::ALL {
            let profile = part(&told, window, live.now());
            let is_all = window == Window::All;
            prop_assert_eq!(rows(&live, &tables, By::Line, window), of_sites(&profile, is_all));
            let mut functions = rows(&live, &tables, By::Function, window);
            functions.values_mut().for_each(|row| (row.4, row.5) = (0, 0));
            functions.retain(|_, row| *row != Row::default());
            prop_assert_eq!(functions, of_functions(&profile));

            let mut threads = BTreeMap::<u32, u64>::new();
            for sum in profile.time.iter().filter(|sum| sum.class.on_cpu()) {
                *threads.entry(sum.thread.number()).or_default() += sum.weight_ns;
            }
            let group = live.group(By::Thread);
            for number in 0..group.len() {
                let ns = group.figures(number, window).total_cpu_ns();
                prop_assert_eq!(ns, group.figures(number, window).self_cpu_ns());
                if let Key::Thread(thread) = group.key(number) {
                    prop_assert_eq!(ns, threads.remove(&thread.number()).unwrap_or(0));
                }
            }
            prop_assert!(threads.is_empty());
            let all: u64 = profile.time.iter().filter(|sum| sum.class.on_cpu()).map(|sum| sum.weight_ns).sum();
            prop_assert_eq!(live.totals(window).self_cpu_ns(), all);
        }
        let profile = part(&told, Window::All, live.now());
        prop_assert_eq!(live.footprint(), profile.footprint.clone());
        let known = books(&profile);
        let seen = live.books(&tables);
        if profile.counters.contains_key("ticks") && profile.counters.contains_key("samples") {
            prop_assert_eq!(seen, known);
        }
        prop_assert_eq!(live.cpu_by_second().iter().sum::<u64>(), live.totals(Window::Long).self_cpu_ns());
    }

    #[test]
    fn a_row_is_explained_as_the_analysis_does(made in made()) {
        let bytes = made::trace(&made);
        let (mut live, tables) = live(&bytes);
        let profile = Profile::from_bytes(&bytes).unwrap();
        for site in sites::sites(&profile) {
            let group = live.group(By::Line);
            let is_it = |number: &u32| matches!(group.key(*number), Key::Spot(spot)
                if (spot.file, spot.line, spot.function) == (site.file, site.line, site.function));
            let Some(number) = (0..group.len()).find(is_it) else { continue };
            let explained = live.explain(By::Line, number, Window::All, &tables);
            let parts = |why: &[sites::Why]| {
                let parts = why.iter().filter(|why| why.cpu_ns > 0);
                parts.map(|why| (why.what, why.function, why.cpu_ns)).collect::<std::collections::BTreeSet<_>>()
            };
            prop_assert_eq!(parts(&explained.why), parts(&site.why));
            let largest = |callers: &[(_, u32, u64)]| callers.iter().map(|caller| caller.2).filter(|ns| *ns > 0).collect::<Vec<_>>();
            prop_assert_eq!(largest(&explained.callers), largest(&site.callers));
        }
    }
}

/// A trace of one thread with these samples: moment, line, nanoseconds.
fn samples(all: impl Iterator<Item = (u64, u32, u64)>) -> (Live, Tables) {
    let mut tables = Tables::default();
    let (file, name) = (tables.push_string(b"a.py"), tables.push_string(b"f"));
    let lang = Lang::Python;
    let function =
        tables.push_function(profformat::record::Function { name, file, first_line: 1, lang });
    let mut live = Live::new();
    for (nanos, line, weight_ns) in all {
        let frame = tables.push_frame(profformat::record::Frame { function, line });
        let stack = Some(tables.push_stack(profformat::tables::StackNode { parent: None, frame }));
        let (time, thread) = (Timestamp::from_nanos(nanos), profformat::ids::ThreadId::new(0));
        let sample = Sample { time, thread, stack, weight_ns, class: Class::Python };
        live.block(&profformat::Block::Samples(&[sample]), &tables);
    }
    (live, tables)
}

#[test]
fn a_second_leaves_its_windows_when_time_goes_on_without_samples() {
    const SECOND: u64 = 1_000_000_000;
    let (mut live, tables) = samples([(0, 7, 5), (SECOND, 7, 6)].into_iter());
    let mut total = |seconds: u64| {
        live.advance(Timestamp::from_nanos(seconds * SECOND), &tables);
        Window::ALL.map(|window| live.totals(window).self_cpu_ns())
    };
    assert_eq!(total(9), [11, 11, 11]);
    assert_eq!(total(10), [6, 11, 11]);
    assert_eq!(total(11), [0, 11, 11]);
    assert_eq!(total(60), [0, 6, 11]);
    assert_eq!(total(1_000_000), [0, 0, 11]);
}

#[test]
fn lines_beyond_the_limit_are_one_row_and_no_weight_is_lost() {
    let count = ROWS as u64 + 500;
    let (live, _) = samples((0..count).map(|at| (at * 1_000_000, at as u32, 3)));
    let lines = live.group(By::Line);
    assert_eq!(lines.len() as usize, ROWS);
    let sum =
        |window| (0..lines.len()).map(|row| lines.figures(row, window).self_cpu_ns()).sum::<u64>();
    assert_eq!(sum(Window::All), 3 * count);
    assert_eq!(lines.key(0), Key::Other);
    assert_eq!(lines.figures(0, Window::All).self_cpu_ns(), 3 * (500 + 2));
}

#[test]
fn the_largest_weights_are_survived() {
    let (mut live, tables) = samples((0..40).map(|at| (at * 1_000_000_000, 1, u64::MAX)));
    live.advance(Timestamp::from_nanos(u64::MAX), &tables);
    assert_eq!(live.totals(Window::All).self_cpu_ns(), u64::MAX);
    assert_eq!(live.totals(Window::Long).self_cpu_ns(), 0);
    let _ = live.explain(By::Line, 2, Window::All, &tables);
    assert_eq!(Made::new(1).seed, 1);
}
