//! The HTML page: its blocks read back, and what must not be in it.

mod decoded;
mod hostile;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use profformat::analysis::Profile;
use profformat::export::text::{NoSource, Source, Whole};
use profformat::export::{Format, Metric, html};
use profformat::ids::ProcessId;
use profformat::record::{Class, Footprint, Record};
use sha2::{Digest, Sha256};

use self::decoded::Page;
use crate::run::Run;
use crate::totals::{json, json_total, text};

/// The page of a profile.
fn page(profile: &Profile, source: &dyn Source) -> String {
    let mut out = Vec::new();
    html::write(profile, source, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The columns that a metric is the sum of.
fn columns(metric: Metric) -> std::ops::Range<usize> {
    match metric {
        Metric::Cpu => 0..4,
        Metric::Wall => 0..6,
        Metric::Alloc => 6..7,
        Metric::Peak => 7..8,
        Metric::Live => 8..9,
        Metric::Copies => 9..10,
    }
}

/// Checks that a page says what the other exports say, stack for stack and line for line, to the unit.
pub(crate) fn check(profile: &Profile) {
    let page = Page::of(&page(profile, &NoSource));
    let document = json(profile, Format::Json, Metric::Cpu);
    for metric in Metric::ALL {
        let collapsed = String::from_utf8(text(profile, Format::Collapsed, metric)).unwrap();
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for (stack, weight) in collapsed.lines().map(|line| line.rsplit_once(' ').unwrap()) {
            *expected.entry(stack.to_owned()).or_default() += weight.parse::<u64>().unwrap();
        }
        let total: u64 = expected.values().sum();
        assert_eq!(page.stacks(columns(metric)), expected, "{metric:?}");
        let entry = page.metric(metric.name());
        assert_eq!(entry["total"].as_u64(), Some(total), "{metric:?} in the head");
        assert_eq!(entry["measured"], true);
        assert_eq!(json_total(&document, metric), total);
        let lines = page.lines.iter().map(|line| line.of(metric));
        assert_eq!(lines.sum::<u64>(), total, "{metric:?} by line");
        if matches!(metric, Metric::Cpu | Metric::Wall) {
            let functions =
                page.functions.iter().map(|f| f.ns[columns(metric)].iter().sum::<u64>());
            assert_eq!(functions.sum::<u64>(), total, "{metric:?} by function");
            let classes = columns(metric);
            let entries = page.time.iter().filter(|entry| classes.contains(&entry.class));
            assert_eq!(entries.map(|entry| entry.ns).sum::<u64>(), total, "{metric:?} over time");
        }
    }
    // Over time, every node has in every class what it has in the tree.
    let mut over_time: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for entry in &page.time {
        assert!(entry.part < page.parts);
        *over_time.entry((entry.class, entry.node)).or_default() += entry.ns;
    }
    let of_tree = page.own.iter().filter(|(key, _)| key.0 < Class::ALL.len());
    assert_eq!(over_time, of_tree.map(|(key, ns)| (*key, *ns)).collect());
    // And every thread in every class what the list of threads says.
    let mut threads: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for entry in &page.time {
        *threads.entry((entry.thread, entry.class)).or_default() += entry.ns;
    }
    for (at, thread) in page.head["threads"].as_array().unwrap().iter().enumerate() {
        for (class, ns) in thread["ns"].as_array().unwrap().iter().enumerate() {
            let found = threads.get(&(at, class)).copied().unwrap_or(0);
            assert_eq!(ns.as_u64(), Some(found), "thread {at}, class {class}");
        }
    }
    let sum = |list: &str, field: &str| -> u64 {
        let all = page.head[list].as_array().unwrap().iter();
        all.map(|one| one[field].as_u64().unwrap()).sum()
    };
    for list in ["threads", "processes"] {
        let (alloc, copied) = (page.metric("alloc"), page.metric("copies"));
        assert_eq!(Some(sum(list, "alloc")), alloc["total"].as_u64(), "{list}");
        assert_eq!(Some(sum(list, "copied")), copied["total"].as_u64(), "{list}");
    }
}

#[test]
fn a_run_comes_back_from_its_page() {
    let mut run = Run::new();
    run.sample(0, 3, Class::Python, 1_000_000_007);
    run.sample(0, 4, Class::Native, 20);
    run.sample(1, 5, Class::Gc, 400);
    run.sample(2, 6, Class::Native, 5_000);
    run.sample(1, 99, Class::Python, 60_000);
    run.sample(1, 0, Class::Wait, 700_000);
    run.alloc(0, 3, 1001, 1);
    run.copy(1, 3, "CPython", 64);
    check(&run.profile_with_activity());
    run.sample(77, 0, Class::Kernel, 9);
    let profile = run.profile_with_activity();
    let page = Page::of(&page(&profile, &NoSource));
    let paths: Vec<&str> = page.files.iter().map(|file| file.0.as_str()).collect();
    assert_eq!(paths, ["", "app.py", "/usr/lib/libz.so.1", "/usr/bin/spin"]);
    assert_eq!(page.files[1].2, 1, "the user's own");
    assert_eq!(page.files[2].2, 0);
    let threads = page.head["threads"].as_array().unwrap();
    assert_eq!(threads.last().unwrap()["name"], "[other]", "a thread that the trace has lost");
    assert_eq!(page.head["classes"].as_array().unwrap().len(), 6);
    // Children by CPU time, largest first.
    let depths: Vec<usize> = page.tree.iter().map(|node| node.depth).collect();
    assert_eq!(depths[..3], [0, 1, 2]);
    let names: Vec<&str> = page.tree.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(names[1], "main (app.py:12)");
    let roots = page.tree.iter().filter(|node| node.depth == 1);
    let roots: Vec<&str> = roots.map(|node| node.label.as_str()).collect();
    assert_eq!(roots, ["main (app.py:12)", "[no stack]", "spin (/usr/bin/spin)"]);
    let hottest = &page.lines[0];
    assert_eq!((hottest.line, hottest.function.as_str()), (25, "f;g\\x0ah"));
    assert_eq!(hottest.total_ns, 1_000_000_027);
    assert_eq!(hottest.why[0], (0, String::new(), 1_000_000_007));
    assert_eq!(hottest.callers, [(1, 12, 1_000_000_027)]);
}

#[test]
fn what_a_line_held_stands_in_its_row() {
    let mut run = Run::new();
    run.sample(0, 3, Class::Python, 100);
    run.alloc(0, 0, 4 << 20, 1);
    for at in 2..100 {
        run.alloc(0, 3, 1 << 10, at);
    }
    let time = run.now();
    run.records.push(Record::Footprint(Footprint {
        time,
        process: ProcessId::new(0),
        native_bytes: 5 << 20,
        python_bytes: 0,
        peak: true,
    }));
    let page = Page::of(&page(&run.profile(), &NoSource));
    let line = |number: u64| page.lines.iter().find(|line| line.line == number).unwrap();
    let curve = &line(12).curve;
    assert_eq!((curve.len(), curve.iter().max()), (24, Some(&(4 << 20))));
    assert_eq!(curve.last(), Some(&(4 << 20)), "it was kept");
    assert!(line(26).curve.is_empty(), "it allocated nothing");
    assert_eq!(page.points, [(time.as_nanos(), 5 << 20, 0)]);
}

#[test]
fn moments_of_samples_are_kept() {
    let mut run = Run::new();
    for _ in 0..50 {
        run.sample(0, 3, Class::Python, 3);
        run.sample(1, 4, Class::Wait, 5);
    }
    let profile = run.profile_with_activity();
    let timed = Page::of(&page(&profile, &NoSource));
    assert_eq!(timed.part_ns, 1 << 20);
    // Records are 2 ms apart.
    assert!(timed.time.windows(2).all(|pair| pair[0].part < pair[1].part));
    let apart = timed.time[1].part - timed.time[0].part;
    assert!((1..=2).contains(&apart), "{apart} parts of a millisecond");
    let untimed = Page::of(&page(&run.profile(), &NoSource));
    assert_eq!((untimed.parts, untimed.time.len()), (1, 2));
    assert_eq!(timed.own, untimed.own);
}

#[test]
fn the_policy_admits_the_script_and_the_style_that_are_there() {
    let html = page(&Run::new().profile(), &NoSource);
    let between = |open: &str, close: &str| -> Vec<&str> {
        html.split(open).skip(1).map(|rest| rest.split(close).next().unwrap()).collect()
    };
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let [script] = between("<script>", "</script>")[..] else { panic!("one script") };
    let [style] = between("<style>", "</style>")[..] else { panic!("one style") };
    let head = html.split("<head>").nth(1).unwrap().trim_start();
    let meta = "<meta http-equiv=\"Content-Security-Policy\" content=\"";
    let policy = head.strip_prefix(meta).expect("the policy comes first").split('"').next();
    let expected = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(style)
    );
    assert_eq!(policy, Some(expected.as_str()));
    assert!(!html.contains("{{") || script.contains("{{"), "everything is filled in");
    for attribute in [" style=", " onload=", " onclick=", " onerror=", "src=", "http:", "https:"] {
        let outside = html.replace(script, "").replace(style, "");
        assert!(!outside.contains(attribute), "{attribute}");
    }
}

#[test]
fn the_scripts_have_no_way_to_make_markup_of_text() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/export/html/web");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "srcdoc",
            "javascript:",
            "</script",
            "</style",
            "<script",
            "<!--",
            "import(",
            "fetch(",
            "XMLHttpRequest",
        ];
        let is_page = path.extension().is_some_and(|ending| ending == "html");
        for word in forbidden.iter().filter(|word| !is_page || !word.starts_with('<')) {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
        files += 1;
    }
    assert!(files >= 3);
}

#[test]
fn what_was_not_measured_says_why() {
    let mut profile = Run::new().profile();
    profile.header.copy_interval = 0;
    let html = page(&profile, &NoSource);
    let page = Page::of(&html);
    let copies = page.metric("copies");
    assert_eq!(copies["measured"], false);
    let reason = copies["reason"].as_str().unwrap();
    assert!(reason.contains("--no-copies"), "{reason}");
    assert_eq!(page.metric("alloc")["measured"], true);
    assert!(html.contains("Copies were not recorded (`--no-copies`)"));
    assert!(html.contains("No CPU ticks arrived"));
}

/// Every file is there.
struct Everything;

impl Source for Everything {
    fn line(&self, file: &[u8], line: u32) -> Option<String> {
        Some(format!("{} </script> {line}", String::from_utf8_lossy(file)))
    }

    fn whole(&self, file: &[u8]) -> Whole {
        Whole::Text(format!(
            "first\tline of {}\n\u{202e}</script>\n",
            String::from_utf8_lossy(file)
        ))
    }
}

#[test]
fn source_is_in_the_page_and_harmless() {
    let mut run = Run::new();
    run.sample(0, 3, Class::Python, 100);
    run.sample(0, 6, Class::Native, 100);
    let html = page(&run.profile(), &Everything);
    let page = Page::of(&html);
    assert_eq!(page.head["sources"], serde_json::json!([1]), "Python files only");
    let text = String::from_utf8(decoded::block(&html, "source-1")).unwrap();
    assert_eq!(text, "first    line of app.py\n\\u{202e}</script>");
    assert!(html.contains("<code>app.py &lt;/script&gt; 25</code>"));
}

#[test]
fn sentences_link_to_rows() {
    let mut run = Run::new();
    for _ in 0..20 {
        run.sample(0, 3, Class::Python, 10_000_000);
    }
    for _ in 0..5 {
        run.sample(0, 0, Class::Python, 10_000_000);
    }
    let html = page(&run.profile(), &NoSource);
    let page = Page::of(&html);
    let link =
        "Most time on one line: <a href=\"#site=0\" data-site=\"0\"><bdi>app.py:25</bdi></a>";
    assert!(html.contains(link), "{}", html.split("<main").next().unwrap());
    assert_eq!((page.lines[0].line, page.lines[1].line), (25, 12));
}
