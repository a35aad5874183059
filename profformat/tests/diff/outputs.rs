//! What a person and a program get to see.

use std::path::Path;

use profformat::analysis::diff::{Diff, MatchedBy, Metric, NoTexts, Side, compare};
use profformat::export::diff::{Format, Options, write};
use profformat::export::flamegraph::Graph;
use profformat::export::text::{NoSource, Source};
use proptest::prelude::*;
use unicode_width::UnicodeWidthChar;

use crate::{MIB, Made};

/// Source of the files in these tests.
struct Lines;

impl Source for Lines {
    fn line(&self, _file: &[u8], line: u32) -> Option<String> {
        line.is_multiple_of(2).then(|| format!("\ttotal += compute(values[{line}], \"a <b> & c\")"))
    }
}

/// Two runs of a program of which one line became slower, one quicker and smaller, and one line copies less.
fn sides() -> [Side; 2] {
    [0, 1].map(|side| edited(side).side())
}

fn edited(side: usize) -> Made {
    let mut made = Made::new();
    let work = made.function("/w/app/run.py", "work", 10 + side as u32);
    let load = made.function("/w/app/store/load.py", "Loader.load", 40);
    let library = made.function("/v/lib/python3.11/site-packages/docutils/nodes.py", "walk", 200);
    let at = 11 + side as u32;
    made.profile.header.command = vec![b"run.py".to_vec()];
    made.ticks(work, at, [119, 21][side]).ticks(work, at + 1, [300, 310][side]);
    made.ticks(load, 44, [40, 110][side]).ticks(load, 45, [12, 9][side]);
    made.ticks(library, 220, [80, 85][side]);
    if side == 0 {
        made.ticks(library, 230, 2);
    } else {
        made.ticks(load, 52, 4).ticks(load, 53, 3);
    }
    made.bytes(load, 44, 4 * MIB, 400 * MIB, [88 * MIB, 44 * MIB][side]);
    made.bytes(work, at, 64, 200 * MIB, [6 * MIB, 7 * MIB][side]);
    made.copies(load, 44, [184 * MIB, 0][side]);
    made.copies(load, 46, 228 * MIB);
    made
}

fn text(diff: &Diff<'_>, format: Format, options: &Options) -> String {
    let mut out = Vec::new();
    write(diff, format, options, [&Lines, &Lines], &mut out).expect("a vector takes all");
    String::from_utf8(out).expect("outputs are text")
}

fn options(width: usize) -> Options {
    let labels = ["run-a.proftrace".into(), "run-b.proftrace".into()];
    Options { labels, width, ..Options::default() }
}

/// The golden text of this name; with `PROF_WRITE_GOLDEN` set it is written instead of compared.
fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/golden").join(name);
    if std::env::var_os("PROF_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("golden file is written");
    }
    let golden = std::fs::read_to_string(&path).expect("golden file is there");
    assert_eq!(text, golden, "the comparison differs from {}", path.display());
}

#[test]
fn texts_are_as_they_were_agreed() {
    let [before, after] = sides();
    let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
    for width in [40, 60, 80, 100, 160] {
        let text = text(&diff, Format::Text, &options(width));
        assert_golden(&format!("text_{width}.txt"), &text);
    }
    let all = Options { all: true, ascii: true, ..options(100) };
    let ascii = text(&diff, Format::Text, &all);
    assert!(ascii.is_ascii());
    assert_golden("text_all_ascii.txt", &ascii);
    let colored = Options { color: true, ..options(100) };
    assert_golden("text_color.txt", &text(&diff, Format::Text, &colored));
    let file = Options { file: Some("store/*".into()), ..options(100) };
    assert_golden("text_file.txt", &text(&diff, Format::Text, &file));
    let graph = Graph::of(&edited(1).profile, profformat::export::Metric::Cpu);
    let page = Options { graph: Some(graph), ..options(100) };
    assert_golden("page.html", &text(&diff, Format::Html, &page));
}

#[test]
fn the_same_twice_is_no_change() {
    let [before, _] = sides();
    let diff = compare(&before, &before, [&NoTexts, &NoTexts]);
    assert!(!diff.is_slower());
    assert_golden("text_same.txt", &text(&diff, Format::Text, &options(100)));
}

#[test]
fn repeated_runs_and_units_of_work_are_said() {
    let runs = |ticks: [usize; 3], work: f64| {
        let run = |ticks: usize| {
            let mut made = Made::new();
            let work = made.function("/w/run.py", "work", 1);
            made.ticks(work, 2, ticks).ticks(work, 3, 100);
            made.profile.header.memory_interval = 0;
            made.profile.header.copy_interval = 0;
            made.run()
        };
        Side::new(ticks.map(run).to_vec(), work)
    };
    let (before, after) = (runs([300, 310, 290], 1000.0), runs([400, 420, 410], 1000.0));
    let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
    assert!(diff.is_slower());
    assert_golden("text_repeated.txt", &text(&diff, Format::Text, &options(100)));
}

#[test]
fn json_has_every_line_and_the_sums_of_the_whole() {
    let [before, after] = sides();
    let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
    let json: serde_json::Value =
        serde_json::from_str(&text(&diff, Format::Json, &options(100))).expect("it is JSON");
    assert_eq!((&json["schema"], &json["version"]), (&"prof-diff".into(), &1.into()));
    let metrics = json["metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), Metric::ALL.len());
    let lines = metrics[0]["lines"].as_array().unwrap();
    let sum = |key: &str| lines.iter().map(|line| line[key].as_f64().unwrap()).sum::<f64>();
    for key in ["before", "after", "change"] {
        let total = metrics[0]["total"][key].as_f64().unwrap();
        assert!((sum(key) - total).abs() < 1e-9, "{key}");
    }
    let ways: Vec<_> = lines.iter().map(|line| line["matched_by"].as_str().unwrap()).collect();
    assert!(ways.contains(&MatchedBy::Offset.name()), "{ways:?}");
    for line in lines {
        let change = line["after"].as_f64().unwrap() - line["before"].as_f64().unwrap();
        assert!((line["change"].as_f64().unwrap() - change).abs() < 1e-9);
        assert_eq!(line["sure"] == true, line["q"].as_f64().is_some_and(|q| q <= 0.05));
    }
    let sure = lines.iter().filter(|line| line["sure"] == true).count();
    let page = text(&diff, Format::Html, &options(100));
    assert!(page.contains(&format!("{sure} of {} lines changed", lines.len())));
}

#[test]
fn a_page_lets_nothing_in() {
    let mut made = Made::new();
    let name = "</script><img src=x onerror=alert(1)>\u{202e}\x1b[2J'\"";
    let evil = made.function(name, name, 1);
    made.ticks(evil, 3, 20);
    let before = made.side();
    made.ticks(evil, 3, 90);
    let after = made.side();
    let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
    let mut out = Vec::new();
    let options = Options { labels: [name.into(), name.into()], ..options(100) };
    write(&diff, Format::Html, &options, [&NoSource, &NoSource], &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;\\u{202e}\\x1b[2J&#39;&quot;"));
    for forbidden in
        ["<img", "<script", "</script", "style=", "\u{202e}", "\x1b", "href", "http:", "https:"]
    {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
}

fn figures() -> impl Strategy<Value = Vec<(String, u32, Vec<u64>, u64)>> {
    let name = prop_oneof!["[a-z/.<>]{0,9}", any::<String>()];
    let weights = prop::collection::vec(any::<u64>().prop_map(|n| n >> 8), 0..20);
    prop::collection::vec((name, 0..9_u32, weights, any::<u64>()), 0..12)
}

fn made(figures: &[(String, u32, Vec<u64>, u64)]) -> Made {
    let mut made = Made::new();
    for (name, line, weights, bytes) in figures {
        let function = made.function(&format!("{name}.py"), name, line / 2);
        made.weights(function, *line, &weights.iter().map(|n| n >> 8).collect::<Vec<_>>());
        made.bytes(function, *line, bytes % (2 * MIB) + 1, bytes >> 8, bytes >> 16);
        made.copies(function, *line, bytes >> 9);
    }
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the figures and names: no line is too wide, nothing acts on a terminal, and parts add up.
    #[test]
    fn anything_is_shown(before in figures(), after in figures(), width in 0..200_usize, runs in 1..3_usize, ascii: bool) {
        let side = |figures: &[_]| Side::new((0..runs).map(|_| made(figures).run()).collect(), 3.0);
        let (before, after) = (side(&before), side(&after));
        let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
        let options = Options { all: true, ascii, ..options(width) };
        for format in [Format::Text, Format::Json, Format::Html] {
            let text = text(&diff, format, &options);
            prop_assert!(!text.contains("NaN"), "{text}");
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{format:?}");
            if format == Format::Text {
                let cells = |line: &&str| line.chars().filter_map(|c| c.width()).sum::<usize>();
                let wide = text.lines().find(|line| cells(line) > width.max(20));
                prop_assert_eq!(wide, None);
            }
        }
        for compared in &diff.compared {
            let sum: f64 = compared.rows.iter().map(|row| row.change.before).sum();
            if compared.metric == Metric::Cpu {
                prop_assert!((sum - compared.total.before).abs() <= 1e-9 * compared.total.before);
            }
        }
        let same = compare(&before, &before, [&NoTexts, &NoTexts]);
        prop_assert!(same.compared.iter().all(|by| by.rows.iter().all(|row| !row.is_sure)));
    }
}

/// The elements of the picture: class, text of the title.
fn boxes(page: &str) -> Vec<(&str, &str)> {
    let groups = page.split("<g class=\"").skip(1);
    let parts = groups.map(|group| {
        let (class, rest) = group.split_once("\"><title>").expect("a box has a title");
        (class, rest.split_once("</title>").expect("which ends").0)
    });
    parts.collect()
}

#[test]
fn functions_of_the_graph_have_the_color_of_their_change() {
    let mut made = edited(1);
    let wide = made.function("/w/<b>.py", "</svg><script>", 1);
    made.ticks(wide, 1, 500);
    let graph = Graph::of(&made.profile, profformat::export::Metric::Cpu);
    let [before, after] = sides();
    let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
    let with = Options { graph: Some(graph), ..options(100) };
    let page = text(&diff, Format::Html, &with);
    let boxes = boxes(&page);
    let of =
        |name: &str| boxes.iter().filter(|(_, title)| title.starts_with(name)).collect::<Vec<_>>();
    let [(class, title)] = of("Loader.load")[..] else { panic!("one box: {boxes:?}") };
    assert_eq!(*class, "more");
    assert!(title.contains("1.26 s, lines that changed: +0.70"), "{title}");
    let [(class, _)] = of("work")[..] else { panic!("one box: {boxes:?}") };
    assert_eq!(*class, "less");
    let [(class, title)] = of("walk")[..] else { panic!("one box: {boxes:?}") };
    assert_eq!((*class, title.ends_with("within noise")), ("same", true));
    assert_eq!(of("&lt;/svg&gt;&lt;script&gt;").len(), 1);
    assert!(!page.contains("<script") && !page.contains("<b>"));
    assert!(!text(&diff, Format::Html, &options(100)).contains("class=\"flame\""));
    assert!(!text(&diff, Format::Text, &with).contains("within noise, "));
}

#[test]
fn what_is_gone_stands_above_the_graph() {
    let run = |ticks: usize| {
        let mut made = Made::new();
        let (work, gone) =
            (made.function("/w/run.py", "work", 1), made.function("/w/run.py", "gone", 9));
        made.ticks(work, 2, 300).ticks(gone, 10, ticks);
        made
    };
    let [before, after] = [100, 0].map(|ticks| run(ticks).side());
    let graph = Graph::of(&run(0).profile, profformat::export::Metric::Cpu);
    let diff = compare(&before, &after, [&NoTexts, &NoTexts]);
    let page = text(&diff, Format::Html, &Options { graph: Some(graph), ..options(100) });
    let boxes = boxes(&page);
    assert!(boxes[0].1.contains("run.py:10") && boxes[0].1.contains("−1.00"), "{boxes:?}");
    assert!(
        page.contains("<rect x=\"0.0\" y=\"0\" width=\"400.0\""),
        "a third of what there is after"
    );
}

#[test]
fn a_graph_is_no_larger_than_a_page_can_bear() {
    let mut made = Made::new();
    for at in 0..20_000 {
        let place = made.function("/w/run.py", &format!("function_{at}"), at);
        made.ticks(place, at, 1 + at as usize % 2);
    }
    let graph = Graph::of(&made.profile, profformat::export::Metric::Cpu);
    let side = made.side();
    let diff = compare(&side, &side, [&NoTexts, &NoTexts]);
    let page = text(&diff, Format::Html, &Options { graph: Some(graph), ..options(100) });
    assert!(boxes(&page).len() <= 4_000, "{}", boxes(&page).len());
}
