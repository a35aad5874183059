//! Whole frames, drawn on a terminal that is only tested on.

use std::path::Path;
use std::time::Duration;

use super::super::keys::{Key, keys};
use profformat::analysis::live::{By, Explained, Live, Window};
use profformat::export::text::Source;
use profformat::export::text::cells::Look;
use profformat::follow::Follower;
use profformat::ids::{ProcessId, StackId, ThreadId};
use profformat::record::{
    Alloc, Class, Copied, Counter, Domain, Footprint, Frame, Function, Header, Lang, Record,
    Sample, counter,
};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

use super::super::state::{Sort, State};
use super::super::table::Table;
use super::{Facts, Layout, draw};

const TICK: u64 = 10_000_000;
const MIB: u64 = 1 << 20;

/// A trace that is being written.
struct Run {
    writer: TraceWriter<Vec<u8>>,
    thread: ThreadId,
    process: ProcessId,
    time: u64,
    header: Header,
}

/// A frame of a stack: file, function, line.
type At<'a> = (&'a [u8], &'a [u8], u32);

impl Run {
    fn new(command: &[&str]) -> Self {
        let header = Header {
            command: command.iter().map(|word| word.as_bytes().to_vec()).collect(),
            cpu_interval_ns: TICK,
            memory_interval: 131_072,
            copy_interval: MIB,
            ..Header::default()
        };
        let mut writer = TraceWriter::new(Vec::new(), &header, Options::default()).unwrap();
        let process = writer.process(9682, command).unwrap();
        let thread = writer.thread(process, 9682, "MainThread").unwrap();
        Self { writer, thread, process, time: 0, header }
    }

    fn stack(&mut self, frames: &[At<'_>]) -> Option<StackId> {
        let writer = &mut self.writer;
        frames.iter().fold(None, |parent, (file, name, line)| {
            let (name, file) = (writer.string(name), writer.string(file));
            let lang = if file == writer.string(b"_sre.so") { Lang::Native } else { Lang::Python };
            let function = writer.function(Function { name, file, first_line: 1, lang });
            let frame = writer.frame(Frame { function, line: *line });
            Some(writer.stack(parent, frame))
        })
    }

    /// So many samples of a tick.
    fn time(&mut self, frames: &[At<'_>], class: Class, ticks: u64) {
        let (stack, thread) = (self.stack(frames), self.thread);
        for _ in 0..ticks {
            self.time += TICK;
            let time = Timestamp::from_nanos(self.time);
            let sample = Sample { time, thread, stack, weight_ns: TICK, class };
            self.writer.write(&Record::Sample(sample)).unwrap();
        }
    }

    fn memory(&mut self, frames: &[At<'_>], held: u64, copied: u64) {
        let (stack, thread) = (self.stack(frames), self.thread);
        let time = Timestamp::from_nanos(self.time);
        let copier = self.writer.string(b"CPython");
        let (size, weight, domain) = (held, held, Domain::Native);
        let alloc = Alloc { time, thread, stack, size, weight, domain, block: held };
        self.writer.write(&Record::Alloc(alloc)).unwrap();
        let copied = Copied { time, thread, stack, size: copied, weight: copied, copier };
        self.writer.write(&Record::Copied(copied)).unwrap();
        let process = self.process;
        let (native_bytes, python_bytes) = (held, 9 * MIB);
        let point = Footprint { time, process, native_bytes, python_bytes, peak: true };
        self.writer.write(&Record::Footprint(point)).unwrap();
    }

    fn count(&mut self, name: &str, value: u64) {
        let (time, process) = (Timestamp::from_nanos(self.time), self.process);
        let name = self.writer.string(name.as_bytes());
        self.writer.write(&Record::Counter(Counter { time, process, name, value })).unwrap();
    }

    fn shown(mut self) -> Shown {
        self.writer.flush().unwrap();
        let bytes = self.writer.finish(Timestamp::from_nanos(self.time)).unwrap();
        let (mut follower, mut live) = (Follower::new(), Live::new());
        follower.read(&bytes, |block, tables| live.block(block, tables)).unwrap();
        live.look_at_held(follower.tables().unwrap());
        let state = State { window: Window::All, ..State::default() };
        let (table, look) = (Table::default(), Look { width: 0, color: false, ascii: false });
        Shown {
            follower,
            live,
            state,
            table,
            look,
            header: self.header,
            ending: None,
            output: None,
        }
    }
}

/// A view of it.
struct Shown {
    follower: Follower,
    live: Live,
    state: State,
    table: Table,
    look: Look,
    header: Header,
    ending: Option<&'static str>,
    output: Option<&'static str>,
}

/// Source whose lines say where they stand.
struct Numbered;

impl Source for Numbered {
    fn line(&self, file: &[u8], line: u32) -> Option<String> {
        if file.ends_with(b".so") || line > 5_000 {
            return None;
        }
        Some(format!("{}\tif line == {line}:  # of many", " ".repeat(line as usize % 5)))
    }
}

impl Shown {
    fn drawn(&mut self, width: u16, height: u16) -> Terminal<TestBackend> {
        let tables = self.follower.tables().unwrap();
        let filter = self.state.filter.to_lowercase();
        let (live, state) = (&mut self.live, &mut self.state);
        let by = state.by;
        self.table.update(live, state, Duration::ZERO, |row| {
            filter.is_empty() || super::names::searched(live, tables, by, row).contains(&filter)
        });
        let layout = Layout::of(height, state.shows_source);
        state.scroll(&self.table.rows, layout.table.saturating_sub(1));
        let row = self.table.rows.get(state.position(&self.table.rows)).copied();
        let explained = row.map(|row| live.explain(by, row, state.window, tables));
        let facts = Facts {
            live,
            tables,
            header: &self.header,
            source: &Numbered,
            look: Look { width: width.into(), ..self.look },
            elapsed_ns: 7_290_000_000,
            trace: "run.proftrace",
            output: self.output,
            trace_bytes: 1_153_434,
            damaged_bytes: 0,
            cost: 0.003,
            slowed: None,
            ending: self.ending,
            explained: &explained.unwrap_or_else(Explained::default),
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame.buffer_mut(), &facts, state, &self.table)).unwrap();
        terminal
    }

    fn text(&mut self, width: u16, height: u16) -> String {
        let terminal = self.drawn(width, height);
        let buffer = terminal.backend().buffer();
        let rows = buffer.content.chunks(width.into());
        let rows = rows.map(|cells| {
            let mut text = String::new();
            let mut covered = 0;
            for cell in cells {
                if covered == 0 {
                    text.push_str(cell.symbol());
                    covered = profformat::export::text::cells::cells(cell.symbol()).max(1);
                }
                covered -= 1;
            }
            text.trim_end().to_owned() + "\n"
        });
        rows.collect()
    }

    fn press(&mut self, typed: &str) {
        for key in keys(typed.as_bytes()) {
            self.state.key(key, &self.table.rows, 3);
        }
    }
}

/// Compares with the golden text of this name; with `PROF_WRITE_GOLDEN` set it is written instead.
fn assert_golden(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/live/draw/tests/golden");
    let path = folder.join(name).with_extension("txt");
    if std::env::var_os("PROF_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("golden file is written");
    }
    let golden = std::fs::read_to_string(&path).expect("golden file is there");
    assert_eq!(text, golden, "frame differs from {}", path.display());
}

const SCRIPT: &[u8] = b"/w/docs_html.py";
const MACHINE: &[u8] = b"/v/lib/python3.11/site-packages/docutils/statemachine.py";
const NODES: &[u8] = b"/v/lib/python3.11/site-packages/docutils/nodes.py";
const MAIN: At<'_> = (SCRIPT, b"<module>", 17);
const TRANSITIONS: At<'_> = (MACHINE, b"State.make_transitions", 733);
const TRANSITION: At<'_> = (MACHINE, b"State.make_transition", 714);

fn docs() -> Shown {
    let mut run = Run::new(&["docs_html.py", "3"]);
    run.time(&[MAIN, TRANSITIONS, TRANSITION], Class::Gc, 102);
    run.time(&[MAIN, TRANSITIONS, TRANSITION], Class::Python, 17);
    run.time(&[MAIN, TRANSITIONS], Class::Python, 52);
    run.time(&[MAIN, (NODES, b"Node._fast_findall", 220)], Class::Python, 41);
    run.time(&[MAIN, (NODES, b"match", 166), (b"_sre.so", b"sre_match", 0)], Class::Native, 37);
    run.time(&[MAIN, (MACHINE, b"StateMachine.check_line", 452)], Class::Kernel, 21);
    for line in 0..20 {
        run.time(&[MAIN, (NODES, b"Node.walk", 300 + line)], Class::Python, 20 - u64::from(line));
    }
    run.memory(&[MAIN, TRANSITIONS, TRANSITION], 2 * MIB, 0);
    run.memory(&[(SCRIPT, b"main", 43)], 88 * MIB, 184 * MIB);
    run.count(counter::TICKS, 483);
    run.count(counter::SAMPLES, 480);
    run.count("lost.torn_stack", 3);
    let mut docs = run.shown();
    docs.output = Some("run.out");
    docs
}

#[test]
fn a_frame_on_screens_of_many_sizes() {
    for (width, height) in [(40, 10), (80, 24), (100, 16), (200, 60)] {
        assert_golden(&format!("docs_{width}x{height}"), &docs().text(width, height));
    }
}

#[test]
fn nothing_one_row_and_the_end() {
    assert_golden("empty", &Run::new(&["app.py"]).shown().text(100, 16));
    let mut run = Run::new(&["app.py"]);
    run.time(&[(b"/w/app.py", b"main", 3)], Class::Python, 1);
    let mut one = run.shown();
    one.ending = Some("finished, exit 0");
    assert_golden("one_row", &one.text(100, 16));
}

#[test]
fn ten_thousand_rows_are_all_there() {
    let mut run = Run::new(&["big.py"]);
    for line in 0..10_500 {
        run.time(&[(b"/w/big.py", b"main", line + 1)], Class::Python, 1);
    }
    let mut big = run.shown();
    let text = big.text(100, 24);
    assert_golden("ten_thousand", &text);
    big.state.key(Key::End, &big.table.rows, 3);
    assert_golden("ten_thousand_end", &big.text(100, 24));
    let rows: u64 = big
        .table
        .rows
        .iter()
        .map(|row| big.live.group(By::Line).figures(*row, Window::All).self_cpu_ns())
        .sum();
    assert_eq!(rows, 10_500 * TICK);
}

fn hostile() -> Shown {
    let mut run = Run::new(&["\u{1b}[2J\u{9b}31m", "</script>\u{202e}"]);
    let long = [b'x'; 60_000];
    let names: [&[u8]; 6] = [
        b"\x1b]0;owned\x07\x1b[2J",
        "\u{202e}gnp.exe\u{2066}\u{200b}".as_bytes(),
        b"\xff\xfe\x00\r\n\t",
        &long,
        "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字".as_bytes(),
        b"",
    ];
    for (name, line) in names.into_iter().zip(1..) {
        let file = [b"/w/", name].concat();
        run.time(&[(&file, name, line)], Class::Python, 40 - u64::from(line));
    }
    run.shown()
}

#[test]
fn hostile_names_are_plain_text() {
    for (name, typed) in [("hostile", ""), ("hostile_functions", "g"), ("hostile_threads", "t")] {
        let mut shown = hostile();
        shown.press(typed);
        let text = shown.text(100, 24);
        let is_bad = |c: char| c.is_control() || "\u{200b}\u{202e}\u{2066}".contains(c);
        assert!(!text.replace('\n', "").contains(is_bad), "{text}");
        assert_golden(name, &text);
    }
    for (width, height) in [(40, 10), (41, 11), (59, 15), (60, 17), (79, 40), (300, 99)] {
        let mut shown = hostile();
        for _ in 0..7 {
            shown.text(width, height);
            shown.press("jsmwg");
        }
    }
}

#[test]
fn choices_change_what_is_shown() {
    let mut shown = docs();
    shown.state.sort = Sort::Held;
    shown.text(100, 24);
    assert_golden("by_memory", &shown.text(100, 24));
    shown = docs();
    shown.press("gm");
    assert_golden("functions_time", &shown.text(100, 24));
    shown = docs();
    shown.press("t");
    assert_golden("threads", &shown.text(100, 24));
    shown = docs();
    shown.press("/WALK");
    assert_golden("filtered", &shown.text(100, 24));
    shown.press("ZZZ");
    assert!(shown.text(100, 24).contains("nothing has 'WALKZZZ' in its name"));
    shown = docs();
    shown.text(100, 24);
    shown.press("j\n");
    assert_golden("source", &shown.text(100, 24));
    shown.press("c");
    assert!(shown.text(100, 24).contains("site-packages/docutils/statemachine.py:733"));
    shown.press("? ");
    assert!(!shown.state.shows_help && !shown.state.is_paused);
    shown.press("?");
    assert_golden("keys", &shown.text(100, 24));
    shown.press("x ");
    assert!(shown.text(100, 24).contains("PAUSED, recording goes on"));
}

#[test]
fn ascii_is_nothing_else() {
    let mut shown = docs();
    shown.look.ascii = true;
    let text = shown.text(100, 24);
    assert!(text.is_ascii(), "{text}");
    assert_golden("ascii", &text);
}

#[test]
fn without_colors_nothing_is_colored_and_the_selection_is_seen() {
    let colored = |shown: &mut Shown| {
        let terminal = shown.drawn(100, 24);
        let cells = terminal.backend().buffer().content.iter();
        let reversed = cells.clone().filter(|cell| cell.modifier.contains(Modifier::REVERSED));
        assert_eq!(reversed.count(), 100, "one row");
        cells.filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count()
    };
    let mut shown = docs();
    assert_eq!(colored(&mut shown), 0);
    shown.look.color = true;
    assert!(colored(&mut shown) > 30);
}
