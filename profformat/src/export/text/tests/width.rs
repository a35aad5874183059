//! No line is wider than the page, and nothing of a stranger's reaches the terminal, whatever the names.

use proptest::prelude::*;

use super::super::page::cells;
use super::super::summary::summary_figures;
use super::super::{Figures, Options, Sort, Source, write_figures};
use super::golden::docs;
use crate::analysis::Profile;
use crate::analysis::leaks::Leak;
use crate::analysis::sites::{Copier, FunctionSum, Site, Why, WhyKind};
use crate::ids::{ProcessId, StringId, ThreadId};
use crate::record::{Class, Frame, Function, Lang, Process, Thread};
use crate::tables::StackNode;
use crate::units::Timestamp;

/// Source that tries everything.
struct Hostile(String);

impl Source for Hostile {
    fn line(&self, _: &[u8], line: u32) -> Option<String> {
        (!line.is_multiple_of(3)).then(|| self.0.clone())
    }
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        any::<String>().prop_map(String::into_bytes),
        "(/[a-z漢\u{202e}\x1b]{0,30}){0,6}\\.py".prop_map(String::into_bytes),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..100, 0u64..1 << 40, any::<u64>()]
}

prop_compose! {
    fn profile()(
        names in proptest::collection::vec(name(), 1..12),
        numbers in proptest::collection::vec(number(), 40),
        measured in any::<[bool; 3]>(),
        profiled in any::<bool>(),
    ) -> (Profile, Figures) {
        let mut profile = Profile::default();
        let pick = |i: usize| numbers[i % numbers.len()];
        for (index, name) in names.iter().enumerate() {
            let id = profile.tables.push_string(name);
            let lang = if index % 4 == 3 { Lang::Native } else { Lang::Python };
            let file = StringId::new((index / 2) as u32);
            let function = profile.tables.push_function(Function { name: id, file, first_line: 1, lang });
            let frame = profile.tables.push_frame(Frame { function, line: index as u32 });
            let stack = profile.tables.push_stack(StackNode { parent: None, frame });
            profile.time.push(crate::analysis::TimeSum {
                thread: ThreadId::new(0),
                stack: Some(stack),
                class: Class::ALL[index % 6],
                weight_ns: pick(index),
                samples: pick(index + 1),
                weight_squares: u128::from(pick(index)).pow(2),
            });
            profile.notes.push(String::from_utf8_lossy(name).into_owned());
            profile.counters.insert(format!("lost.{}", String::from_utf8_lossy(name)), pick(index));
        }
        profile.counters.insert("ticks".into(), pick(3));
        profile.counters.insert("samples".into(), pick(4));
        profile.counters.insert("self_ns".into(), pick(5));
        profile.header.command = names.clone();
        profile.header.start_unix_ns = pick(6);
        profile.header.cpu_interval_ns = if measured[0] { pick(7) } else { 0 };
        profile.header.memory_interval = if measured[1] { pick(8) } else { 0 };
        profile.header.copy_interval = if measured[2] { pick(9) } else { 0 };
        profile.footprint.peak_bytes = pick(10);
        profile.elapsed = Timestamp::from_nanos(pick(11));
        let python = String::from_utf8_lossy(&names[0]).into_owned();
        let id = ProcessId::new(0);
        profile.processes.push((
            Process { id, parent: None, pid: 1, time: Timestamp::ZERO, command: names.clone(), python, profiled },
            None,
        ));
        profile.threads.push((
            Thread { id: ThreadId::new(0), process: id, tid: 1, time: Timestamp::ZERO, name: names[0].clone() },
            None,
        ));
        let sites = (0..names.len()).map(|index| Site {
            file: StringId::new((index / 2) as u32),
            line: index as u32,
            function: StringId::new(index as u32),
            self_ns: std::array::from_fn(|class| pick(index + class)),
            samples: pick(index + 2),
            self_squares: u128::from(pick(index)).pow(2),
            total_cpu_ns: pick(index + 3),
            total_samples: pick(index + 4),
            total_squares: u128::from(pick(index)).pow(2),
            why: vec![Why {
                what: if index % 2 == 0 { WhyKind::Native } else { WhyKind::Callee },
                function: Some(StringId::new(index as u32)),
                cpu_ns: pick(index + 3),
            }],
            callers: vec![(StringId::new(0), index as u32 % 2, pick(index))],
            alloc_bytes: pick(index + 5),
            alloc_python_bytes: pick(index + 6),
            alloc_count: pick(index + 7),
            alloc_samples: pick(index),
            live_at_peak_bytes: pick(index + 8),
            live_at_peak_blocks: pick(index + 1),
            live_at_end_bytes: pick(index + 9),
            live_at_end_blocks: pick(index + 10),
            churn_bytes: pick(index + 11),
            leak: (index % 2 == 0).then(|| Leak {
                bytes_per_s: pick(index),
                low: pick(index + 1),
                high: pick(index + 2),
                blocks: pick(index + 3),
                oldest: Timestamp::from_nanos(pick(index + 4)),
                stack: None,
            }),
            copy_bytes: pick(index + 11),
            copy_count: pick(index + 12),
            copy_samples: pick(index + 2),
            copy_sizes: std::array::from_fn(|class| pick(index + class)),
            copiers: (0..index % 5)
                .map(|at| Copier { module: StringId::new(at as u32), bytes: pick(index + at) })
                .collect(),
            copy_cpu_ns: pick(index + 13),
        }).collect();
        let functions = (0..names.len()).map(|index| FunctionSum {
            file: StringId::new((index / 2) as u32),
            function: StringId::new(index as u32),
            first_line: index as u32 % 3,
            self_ns: std::array::from_fn(|class| pick(index + class)),
            samples: pick(index),
            self_squares: u128::from(pick(index)),
            total_cpu_ns: pick(index + 1),
        }).collect();
        (profile, Figures { sites, functions })
    }
}

prop_compose! {
    fn options()(
        width in 0usize..220,
        top in proptest::option::of(0usize..20),
        sort in prop_oneof![Just(Sort::Cpu), Just(Sort::Memory), Just(Sort::Copies), Just(Sort::Leaks), Just(Sort::Churn)],
        file in proptest::option::weighted(0.2, "[*?a-z\x1b]{0,8}"),
        flags in any::<[bool; 6]>(),
        warning in any::<String>(),
    ) -> Options {
        let [functions, threads, processes, all_classes, color, ascii] = flags;
        let warnings = vec![warning];
        Options { width, top, sort, file, functions, threads, processes, all_classes, color, ascii, warnings }
    }
}

/// Checks every line; colors of ours are taken away first.
fn check(text: &str, options: &Options) -> Result<(), TestCaseError> {
    let mut text = text.to_owned();
    for code in ["0", "1", "2", "31", "32", "33", "34", "35", "36", "90"] {
        if options.color {
            text = text.replace(&format!("\x1b[{code}m"), "");
        }
    }
    for line in text.split('\n') {
        prop_assert!(cells(line) <= options.width.max(20), "{} cells: {line:?}", cells(line));
        prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        prop_assert!(!line.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}']), "{line:?}");
        prop_assert!(!options.ascii || line.is_ascii(), "{line:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_too_wide_and_none_acts_on_the_terminal(
        (profile, figures) in profile(),
        options in options(),
        source in any::<String>(),
    ) {
        let source = Hostile(source);
        let mut out = Vec::new();
        write_figures(&profile, figures.clone(), &options, &source, &mut out).expect("a vector takes all");
        summary_figures(&profile, figures.clone(), &options, &source, "a\x1b b", &mut out).expect("a vector takes all");
        check(&String::from_utf8(out).expect("reports are text"), &options)?;
    }

    #[test]
    fn a_plain_report_fits_every_width(width in 20usize..220, ascii in any::<bool>()) {
        let options = Options { width, ascii, ..Options::default() };
        check(&docs().report(&options), &options)?;
    }
}
