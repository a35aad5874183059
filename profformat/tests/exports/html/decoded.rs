//! Reads a page's blocks back, by `docs/HTML.md` alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use profformat::export::Metric;
use serde_json::Value;

/// A node of the tree.
pub(crate) struct Node {
    pub(crate) depth: usize,
    pub(crate) parent: usize,
    /// As collapsed stacks name it.
    pub(crate) label: String,
}

/// What a thread did in a node in a part of the run.
pub(crate) struct Entry {
    pub(crate) part: usize,
    pub(crate) thread: usize,
    pub(crate) node: usize,
    pub(crate) class: usize,
    pub(crate) ns: u64,
}

pub(crate) struct Line {
    /// Path.
    pub(crate) file: String,
    pub(crate) line: u64,
    pub(crate) function: String,
    pub(crate) ns: Vec<u64>,
    pub(crate) total_ns: u64,
    pub(crate) why: Vec<(u64, String, u64)>,
    pub(crate) callers: Vec<(u64, u64, u64)>,
    /// From `alloc` to `copies`.
    bytes: Vec<u64>,
    pub(crate) curve: Vec<u64>,
}

impl Line {
    pub(crate) fn of(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Cpu => self.ns[..4].iter().sum(),
            Metric::Wall => self.ns.iter().sum(),
            Metric::Alloc => self.bytes[0],
            Metric::Peak => self.bytes[3],
            Metric::Live => self.bytes[4],
            Metric::Copies => self.bytes[8],
        }
    }
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) ns: Vec<u64>,
}

/// A page's data.
pub(crate) struct Page {
    pub(crate) head: Value,
    /// Path, short path, flags.
    pub(crate) files: Vec<(String, String, u64)>,
    pub(crate) tree: Vec<Node>,
    /// By column and node.
    pub(crate) own: BTreeMap<(usize, usize), u64>,
    pub(crate) part_ns: u64,
    pub(crate) parts: usize,
    pub(crate) time: Vec<Entry>,
    pub(crate) points: Vec<(u64, u64, u64)>,
    pub(crate) lines: Vec<Line>,
    pub(crate) functions: Vec<Function>,
}

/// The bytes of a block.
pub(crate) fn block(html: &str, name: &str) -> Vec<u8> {
    let open = format!("<script type=\"text/plain\" id=\"d-{name}\">");
    let packed = html.split(&open).nth(1).expect(name).split("</script>").next().unwrap();
    let deflated = STANDARD.decode(packed).unwrap();
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(&deflated[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn number(&mut self) -> u64 {
        let mut value = 0;
        for at in 0.. {
            let (byte, rest) = self.0.split_first().unwrap();
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn count(&mut self) -> usize {
        self.number() as usize
    }

    fn numbers(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.number()).collect()
    }

    fn text(&mut self) -> String {
        let length = self.count();
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }

    /// As many of something as a number says that stands before them.
    fn all<T>(&mut self, mut take: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.count()).map(|_| take(self)).collect()
    }

    fn end(self) {
        assert!(self.0.is_empty(), "{} bytes too many", self.0.len());
    }
}

impl Page {
    pub(crate) fn of(html: &str) -> Self {
        let open = "<script type=\"application/json\" id=\"d-head\">";
        let head = html.split(open).nth(1).unwrap().split("</script>").next().unwrap();
        let head: Value = serde_json::from_str(head).unwrap();

        let names = block(html, "names");
        let mut bytes = Bytes(&names);
        let strings = bytes.all(Bytes::text);
        let text = |number: u64| strings[number as usize].clone();
        assert_eq!(strings[0], "");
        let files = bytes.all(|bytes| (text(bytes.number()), text(bytes.number()), bytes.number()));
        let functions = bytes.all(|bytes| bytes.numbers(4));
        let frames = bytes.all(|bytes| bytes.numbers(2));
        bytes.end();
        let label = |code: u64| {
            let Some(frame) = code.checked_sub(1) else { return "[no stack]".to_owned() };
            let Some(frame) = frames.get(frame as usize) else {
                assert_eq!(frame as usize, frames.len());
                return "[other]".to_owned();
            };
            let function = &functions[frame[0] as usize];
            let (name, file) = (text(function[0]), &files[function[1] as usize].0);
            let text = match (file.as_str(), frame[1]) {
                ("", _) => name,
                (_, 0) => format!("{name} ({file})"),
                (_, line) => format!("{name} ({file}:{line})"),
            };
            text.replace(';', "\\x3b")
        };
        let (tree, own) = tree(&block(html, "tree"), label);

        let time = block(html, "time");
        let mut bytes = Bytes(&time);
        let (part_ns, parts) = (bytes.number(), bytes.count());
        let count = bytes.count();
        let mut part = 0;
        let gaps = bytes.numbers(count).into_iter().map(|gap| {
            part += gap as usize;
            part
        });
        let gaps: Vec<usize> = gaps.collect();
        let rest: Vec<Vec<u64>> = (0..4).map(|_| bytes.numbers(count)).collect();
        let entry = |at: usize| Entry {
            part: gaps[at],
            thread: rest[0][at] as usize,
            node: rest[1][at] as usize,
            class: rest[2][at] as usize,
            ns: rest[3][at],
        };
        let time: Vec<Entry> = (0..count).map(entry).collect();
        let points = bytes.all(|bytes| (bytes.number(), bytes.number(), bytes.number()));
        bytes.end();

        let lines = block(html, "lines");
        let mut bytes = Bytes(&lines);
        let lines = bytes.all(|bytes| {
            let file = files[bytes.count()].0.clone();
            let (line, function) = (bytes.number(), text(bytes.number()));
            let ns = bytes.numbers(6);
            let (_samples, _half) = (bytes.number(), bytes.number());
            let total_ns = bytes.number();
            let (_total_samples, _half) = (bytes.number(), bytes.number());
            let part =
                |bytes: &mut Bytes<'_>| (bytes.number(), text(bytes.number()), bytes.number());
            let why = bytes.all(part);
            let callers = bytes.all(|b| (b.number(), b.number(), b.number()));
            let figures = bytes.numbers(10);
            let curve = bytes.all(Bytes::number);
            assert!([0, 24].contains(&curve.len()));
            Line { file, line, function, ns, total_ns, why, callers, bytes: figures, curve }
        });
        let functions = bytes.all(|bytes| {
            let name = text(bytes.number());
            let (_file, _first_line) = (&files[bytes.count()], bytes.number());
            let ns = bytes.numbers(6);
            let (_samples, _half) = (bytes.number(), bytes.number());
            let _total_ns = bytes.number();
            Function { name, ns }
        });
        bytes.end();
        Self { head, files, tree, own, part_ns, parts, time, points, lines, functions }
    }

    pub(crate) fn metric(&self, id: &str) -> &Value {
        let metrics = self.head["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["id"] == id).unwrap()
    }

    /// Weights by stack, outermost frame first, as collapsed stacks have them.
    pub(crate) fn stacks(&self, columns: Range<usize>) -> BTreeMap<String, u64> {
        let mut stacks = BTreeMap::new();
        for ((_, node), value) in self.own.iter().filter(|(key, _)| columns.contains(&key.0)) {
            let mut names = Vec::new();
            let mut next = *node;
            while next > 0 {
                names.push(self.tree[next].label.as_str());
                next = self.tree[next].parent;
            }
            names.reverse();
            *stacks.entry(names.join(";")).or_insert(0) += value;
        }
        stacks
    }
}

fn tree(bytes: &[u8], label: impl Fn(u64) -> String) -> (Vec<Node>, BTreeMap<(usize, usize), u64>) {
    let mut bytes = Bytes(bytes);
    let count = bytes.count();
    let pops = bytes.numbers(count - 1);
    let codes = bytes.numbers(count - 1);
    let mut nodes = vec![Node { depth: 0, parent: 0, label: "all".into() }];
    // The nodes from the root to the last one.
    let mut path = vec![0];
    for (pop, code) in pops.into_iter().zip(codes) {
        path.truncate(path.len() - pop as usize);
        let parent = *path.last().expect("no node is above the root");
        path.push(nodes.len());
        nodes.push(Node { depth: path.len() - 1, parent, label: label(code) });
    }
    let mut own = BTreeMap::new();
    for column in 0..10 {
        let mut node = 0;
        for _ in 0..bytes.count() {
            node += bytes.count();
            let value = bytes.number();
            assert!(value > 0 && node < count);
            assert_eq!(own.insert((column, node), value), None);
        }
    }
    bytes.end();
    (nodes, own)
}
