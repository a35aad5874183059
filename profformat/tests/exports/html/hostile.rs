//! Names that would be markup, script or commands to a terminal, and more of them than fit.

use profformat::export::text::NoSource;
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;

use super::decoded::{self, Page};
use super::{check, page};
use crate::run::Run;

/// What somebody might call a function, a file, a thread or an argument.
const NAMES: [&[u8]; 16] = [
    b"</script><script>alert(1)</script>",
    b"<img src=x onerror=alert(1)>",
    b"--><!--<script>",
    b"]]><![CDATA[",
    b"${alert(1)}",
    b"`${alert(1)}`",
    b"{{script}}",
    b"\" onmouseover=\"alert(1)",
    b"' onmouseover='alert(1)",
    b"&lt;b&gt;&#60;",
    b"a\0b\x08\x1b[2J\x1b]0;owned\x07",
    b"\xe2\x80\xaeright to left\xe2\x81\xa6",
    b"line\xe2\x80\xa8separator\xe2\x80\xa9\r\n\x0b\x0c",
    b"lone \xff\xc3 bytes \xed\xa0\x80",
    b"\xc2\x9b31m\xc2\x85",
    b"javascript:alert(1)",
];

/// A run in which everything that has a name is called so.
fn called(name: &[u8]) -> Run {
    let mut run = Run::new();
    let id = run.interner.string(name);
    let file = run.interner.string(&[b"/", name].concat());
    for (lang, line) in [(Lang::Python, 7), (Lang::Native, 0), (Lang::Other, 0)] {
        let function = run.interner.function(Function { name: id, file, first_line: 3, lang });
        let frame = run.interner.frame(Frame { function, line });
        let stack = Some(run.interner.stack(None, frame));
        let stack = run.keep(stack);
        for class in Class::ALL {
            for _ in 0..20 {
                run.sample(9, stack, class, 10_000_000);
            }
        }
        run.alloc(9, stack, 4 << 20, u64::from(line) + 1);
        let copier = String::from_utf8_lossy(name).into_owned();
        run.copy(9, stack, &copier, 4 << 20);
    }
    run.records.push(Record::Process(Process {
        id: ProcessId::new(2),
        parent: Some(ProcessId::new(0)),
        pid: 1,
        time: Timestamp::ZERO,
        command: vec![name.to_vec(); 2],
        python: String::from_utf8_lossy(name).into_owned(),
        profiled: name.len().is_multiple_of(2),
    }));
    run.records.push(Record::Thread(Thread {
        id: ThreadId::new(9),
        process: ProcessId::new(2),
        tid: 9,
        time: Timestamp::ZERO,
        name: name.to_vec(),
    }));
    run.records.push(Record::Note(name.to_vec()));
    let reason = run.interner.string(&[b"lost.", name].concat());
    let (time, process) = (run.now(), ProcessId::new(0));
    run.records.push(Record::Counter(Counter { time, process, name: reason, value: 3 }));
    run
}

/// The page without what is ours: script, style, and data in base64.
fn markup(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (before, behind) = rest.split_once(open).unwrap();
        out += before;
        rest = behind.split_once(close).unwrap().1;
    }
    out + rest
}

/// Tags that a page is made of.
const TAGS: [&str; 39] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "bdi",
    "section", "strong", "span", "a", "ul", "li", "b", "main", "table", "caption", "thead", "tr",
    "th", "tbody", "td", "code", "tfoot", "noscript", "script", "div", "nav", "footer", "h3",
    "button", "aside", "template", "output",
];

fn assert_harmless(html: &str, blocks: usize) {
    let markup = markup(html);
    for c in markup.chars() {
        let hidden =
            ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
        assert!(c == '\n' || !c.is_control() && !hidden && !('\u{2028}'..='\u{2029}').contains(&c));
    }
    for at in markup.split('<').skip(1) {
        let name = at.trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '!').next().unwrap();
        assert!(TAGS.contains(&name), "<{}", at.chars().take(40).collect::<String>());
        let attributes = at.split('>').next().unwrap();
        let handler = |word: &str| word.starts_with("on") && word.contains('=');
        assert!(!attributes.split(char::is_whitespace).any(handler), "{attributes}");
    }
    assert_eq!(markup.matches("<script").count(), 1 + blocks);
    let head = markup.split("id=\"d-head\">").nth(1).unwrap().split("</script>").next().unwrap();
    assert!(!head.contains(['<', '>', '&']));
}

#[test]
fn hostile_names_are_plain_text() {
    for name in NAMES {
        let run = called(name);
        let profile = run.profile_with_activity();
        let html = page(&profile, &NoSource);
        assert_harmless(&html, 4);
        check(&profile);
        // What scripts get is harmless for the eye too.
        for name in ["names", "tree", "time", "lines"] {
            let bytes = decoded::block(&html, name);
            assert!(!bytes.windows(3).any(|three| three == "\u{202e}".as_bytes()));
            if name == "names" {
                assert!(!bytes.windows(2).any(|two| two == b"\x1b["));
            }
        }
    }
}

#[test]
fn a_name_of_a_mebibyte_is_cut() {
    for byte in [b'<', b'\x1b', 0xff] {
        let run = called(&vec![byte; 1 << 20]);
        let profile = run.profile_with_activity();
        let html = page(&profile, &NoSource);
        assert_harmless(&html, 4);
        assert!(html.len() < 1 << 20, "{} bytes", html.len());
    }
}

/// More than eight megabytes of names: shorter names, fewer nodes, and the same totals.
#[test]
fn a_page_has_a_largest_size() {
    let mut run = Run::new();
    let mut state = 1_u64;
    for line in 1..20_000 {
        let mut name = String::new();
        while name.len() < 900 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            name += &format!("{:x}", state >> 8);
        }
        let frame = run.frame(&name, "app.py", line, Lang::Python);
        let stack = Some(run.interner.stack(None, frame));
        let stack = run.keep(stack);
        run.sample(0, stack, Class::Python, u64::from(line));
    }
    let profile = run.profile_with_activity();
    let html = page(&profile, &NoSource);
    assert!(html.len() <= 8 << 20, "{} bytes", html.len());
    let page = Page::of(&html);
    let total: u64 = (1..20_000).sum();
    assert_eq!(page.metric("cpu")["total"], total);
    assert_eq!(page.own.values().sum::<u64>(), total);
    assert_eq!(page.lines.iter().map(|line| line.ns[0]).sum::<u64>(), total);
    assert_eq!(page.functions.iter().map(|function| function.ns[0]).sum::<u64>(), total);
    assert_eq!(page.time.iter().map(|entry| entry.ns).sum::<u64>(), total);
    let other = page.lines.last().unwrap();
    assert_eq!((other.function.as_str(), other.total_ns), ("[other]", other.ns[0]));
    assert_eq!(page.functions.last().unwrap().name, "[other]");
}

#[test]
fn the_largest_weights_are_survived() {
    let mut run = Run::new();
    for class in Class::ALL {
        run.sample(0, 3, class, u64::MAX);
        run.sample(1, 4, class, u64::MAX);
    }
    run.alloc(0, 3, u64::MAX, 1);
    run.alloc(0, 4, u64::MAX, 2);
    run.copy(1, 3, "numpy", u64::MAX);
    run.records.push(Record::Footprint(Footprint {
        time: Timestamp::from_nanos(u64::MAX),
        process: ProcessId::new(0),
        native_bytes: u64::MAX,
        python_bytes: u64::MAX,
        peak: true,
    }));
    let html = page(&run.profile_with_activity(), &NoSource);
    let page = Page::of(&html);
    assert_eq!(page.metric("cpu")["total"], 1_u64 << 53);
    assert_eq!(page.points.len(), 1);
}
