//! Native frames of one process: what is at an address, and the tables that its handlers unwind by.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use profformat::ids::{BinaryId, FrameId};
use profformat::record::Lang;

use super::binaries::{Binaries, Binary, Named};
use super::interleave::{Kind, is_own_work, is_passage};
use super::perf_map::PerfMap;
use super::procfs;
use super::recent::Recent;
use super::trace::Trace;
use crate::modules::{ANONYMOUS, Mapped, Modules, Place, file_name};
use crate::published::Published;
use crate::session::Session;
use crate::unwind::Tables;

/// Most addresses that are remembered; beyond that they are looked up again.
const MAX_KNOWN: usize = 4096;
/// Most mappings whose binaries are.
const MAX_TOLD: usize = 1024;
/// The kernel's own code page has no file.
const VDSO: &[u8] = b"[vdso]";

/// What stands at an address.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// It is known which function this is.
    pub(crate) named: bool,
    /// Nothing more will be known about it later on.
    lasts: bool,
    /// It is the interpreter's own work even at a call.
    pub(crate) own_work: bool,
    /// Innermost inlined function first; never empty.
    pub(crate) frames: Rc<[FrameId]>,
}

/// Native code of one process.
#[derive(Debug)]
pub(crate) struct Natives {
    pid: u32,
    root: PathBuf,
    binaries: Binaries,
    vdso: Option<Rc<Binary>>,
    /// Names of code that has no file.
    made: Option<PerfMap>,
    known: Recent<(u64, bool), Spot>,
    /// The trace's binaries by where their code begins.
    told: Recent<u64, BinaryId>,
    published: Published,
}

impl Natives {
    pub(crate) fn new(pid: u32, binaries: Binaries) -> Self {
        Self {
            pid,
            root: PathBuf::from(format!("/proc/{pid}/root")),
            binaries,
            vdso: None,
            made: None,
            known: Recent::new(MAX_KNOWN),
            told: Recent::new(MAX_TOLD),
            published: Published::default(),
        }
    }

    /// The mappings were read again: what is at an address may be something else now.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
        self.told.clear();
    }

    /// The binary that an address is of.
    pub(crate) fn told(&mut self, pc: u64, modules: &Modules, trace: &mut Trace) -> BinaryId {
        let mapped = modules.mapped(pc).filter(|mapped| mapped.path != ANONYMOUS);
        let Some(mapped) = mapped else { return BinaryId::NONE };
        if let Some(told) = self.told.get(&mapped.start) {
            return told;
        }
        let build_id = match mapped.path {
            VDSO => self.binary(&mapped, pc).0.build_id.clone(),
            path if path.first() == Some(&b'/') => {
                self.binaries.build_id(&self.root, Path::new(OsStr::from_bytes(path)))
            }
            _ => Box::default(),
        };
        let told = trace.binary(mapped.path, &build_id);
        self.told.insert(mapped.start, told);
        told
    }

    /// Publishes the unwind table of the code at `pc`; false if there is no code, or it was done before.
    pub(crate) fn publish(&mut self, session: Session, modules: &Modules, pc: u64) -> bool {
        let Some(mapped) = modules.mapped(pc) else { return false };
        let tables = Tables::of(session);
        if let Some(comes_back) = self.published.count(tables, &mapped) {
            return comes_back;
        }
        let (binary, base) = self.binary(&mapped, pc);
        self.published.add(tables, &mapped, base.unwrap_or(mapped.start), &binary.rows);
        true
    }

    /// A library was unloaded: where something else stands now, its table is withdrawn.
    pub(crate) fn withdraw(&mut self, session: Session, modules: &Modules) {
        self.published.withdraw(Tables::of(session), modules);
    }

    /// What stands at `pc`. `exact`: at this instruction, not at the call before it.
    pub(crate) fn spot(
        &mut self,
        pc: u64,
        exact: bool,
        modules: &Modules,
        trace: &mut Trace,
    ) -> Spot {
        if let Some(spot) = self.known.get(&(pc, exact)) {
            return spot;
        }
        let spot = self.look_up(pc, exact, modules, trace);
        if !spot.lasts {
            return spot;
        }
        self.known.insert((pc, exact), spot.clone());
        spot
    }

    fn look_up(&mut self, pc: u64, exact: bool, modules: &Modules, trace: &mut Trace) -> Spot {
        let at = pc.wrapping_sub(u64::from(!exact));
        let (place, _) = modules.place(at);
        let Some(mapped) = modules.mapped(at) else {
            let frame = trace.frame(b"[unknown]", b"", 0, Lang::Native, 0);
            let (kind, frames) = (Kind::Told, [frame].into());
            return Spot { place, kind, named: false, lasts: true, own_work: false, frames };
        };
        let (binary, base) = self.binary(&mapped, at);
        let address = base.map(|base| at.wrapping_sub(base));
        let mut functions = address.map_or(Vec::new(), |address| binary.functions(address));
        if functions.is_empty()
            && let Some((base, begin)) = base.zip(address.and_then(|address| binary.begin(address)))
            && let Some(name) = modules.known_function(base.wrapping_add(begin))
        {
            functions.push(Named { name: name.to_owned(), source: None });
        }
        let is_made = mapped.path == ANONYMOUS;
        if is_made {
            let made = self.made.get_or_insert_with(|| PerfMap::of(self.pid));
            let name = made.function(at).map(str::to_owned);
            functions.extend(name.map(|name| Named { name, source: None }));
        }
        let interpreter = place == Place::Interpreter;
        let kind = match (place, functions.last()) {
            (Place::Eval, _) => Kind::Eval,
            (Place::Shim, _) => Kind::Shim,
            (Place::Interpreter, None) => Kind::Passage,
            (_, Some(outermost)) if interpreter && is_passage(&outermost.name) => Kind::Passage,
            _ => Kind::Told,
        };
        let own_work = interpreter && functions.last().is_some_and(|f| is_own_work(&f.name));
        let told = self.told(at, modules, trace);
        let mut frames = Vec::with_capacity(functions.len().max(1));
        for (n, function) in functions.iter().enumerate() {
            let source = match &function.source {
                Some((file, line)) => (file.as_bytes(), *line),
                None => (mapped.path, 0),
            };
            let inlined = n + 1 < functions.len();
            frames.push(trace.native_frame(function.name.as_bytes(), source, told, inlined));
        }
        if frames.is_empty() {
            let name = file_name(mapped.path);
            frames.push(trace.native_frame(name, (mapped.path, 0), told, false));
        }
        let named = !functions.is_empty();
        Spot { place, kind, named, lasts: named || !is_made, own_work, frames: frames.into() }
    }

    /// The file of a mapping that holds `pc`, and where its address 0 lies in the process.
    fn binary(&mut self, mapped: &Mapped<'_>, pc: u64) -> (Rc<Binary>, Option<u64>) {
        let binary = if mapped.path == VDSO {
            self.vdso.get_or_insert_with(|| Rc::new(vdso(self.pid, mapped))).clone()
        } else if mapped.path.first() == Some(&b'/') {
            self.binaries.get(&self.root, Path::new(OsStr::from_bytes(mapped.path)))
        } else {
            Rc::default()
        };
        // By the offset of `pc` itself: the mapping begins at a whole page, which may be another part's in the file.
        let address = binary.address(mapped.offset.wrapping_add(pc - mapped.start));
        let base = address.map(|address| pc.wrapping_sub(address));
        (binary, base)
    }
}

fn vdso(pid: u32, mapped: &Mapped<'_>) -> Binary {
    let bytes = procfs::memory(pid, mapped.start, mapped.end - mapped.start);
    Binary::parse(&bytes[..]).unwrap_or_default()
}
