//! Files that mean harm, made by code: nothing here is larger in the repository than in words.

mod bombs;
mod frames;
mod greedy;
mod headers;
mod names;
mod numbers;
mod payloads;
mod sizes;

/// How much a file asks of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A few kilobytes: milliseconds. These are a fuzzer's seeds, too, and what valgrind gets.
    Small,
    /// Megabytes, or gigabytes that a decompressor makes: seconds.
    Large,
    /// As much memory as a reader lets a file have: each is tried in a process of its own.
    Greedy,
}

/// A file of the corpus.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) weight: Weight,
    make: Box<dyn Fn() -> Vec<u8>>,
}

impl Case {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        (self.make)()
    }
}

/// Collects cases.
#[derive(Default)]
pub(crate) struct Corpus(Vec<Case>);

impl Corpus {
    fn small(&mut self, name: impl Into<String>, make: impl Fn() -> Vec<u8> + 'static) {
        self.add(name.into(), Weight::Small, make);
    }

    fn large(&mut self, name: impl Into<String>, make: impl Fn() -> Vec<u8> + 'static) {
        self.add(name.into(), Weight::Large, make);
    }

    fn greedy(&mut self, name: impl Into<String>, make: impl Fn() -> Vec<u8> + 'static) {
        self.add(name.into(), Weight::Greedy, make);
    }

    fn add(&mut self, name: String, weight: Weight, make: impl Fn() -> Vec<u8> + 'static) {
        self.0.push(Case { name, weight, make: Box::new(make) });
    }
}

/// All files, made when asked for.
pub(crate) fn corpus() -> Vec<Case> {
    let mut corpus = Corpus::default();
    headers::add(&mut corpus);
    payloads::add(&mut corpus);
    frames::add(&mut corpus);
    numbers::add(&mut corpus);
    bombs::add(&mut corpus);
    names::add(&mut corpus);
    sizes::add(&mut corpus);
    greedy::add(&mut corpus);
    corpus.0
}
