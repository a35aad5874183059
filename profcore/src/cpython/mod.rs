//! What is known about CPython, and the interpreter found in this process.
//!
//! `versions/` is data, `layout` its types, `lines` decodes line tables, `offsets` compares the table with
//! what the interpreter says of itself, `eval` finds all of the interpreter's loop, `runtime` asks the loader
//! and the interpreter.

use crate::session::{Session, python_state, word};
use crate::sync::Ordering;
use core::sync::atomic::AtomicBool;
use std::sync::OnceLock;

pub(crate) mod eval;
pub(crate) mod layout;
#[cfg(any(test, feature = "record", feature = "bench"))]
mod lines;
mod offsets;
#[expect(unsafe_code, reason = "asks the loader for symbols and calls the interpreter's accessors")]
mod runtime;
pub(crate) mod versions;

#[cfg(test)]
pub(crate) mod interpreters;

use layout::Layout;
use versions::{VERSIONS, Version};

pub(crate) use runtime::{find, thread_state};

/// An interpreter whose layout is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Python {
    /// In the form of `Py_Version`.
    pub(crate) version_hex: u64,
    pub(crate) layout: Layout,
    /// Address of `PyCode_Type`.
    pub(crate) code_type: usize,
    /// Address range of `_PyRuntime`.
    runtime: (usize, usize),
    /// Address ranges of `_PyEval_EvalFrameDefault`: the part that has the name, and the other if there is one.
    pub(crate) eval: [(usize, usize); 2],
    access: runtime::Access,
    /// Address of the runtime's pointer to the thread state that holds the GIL, where that may be needed.
    holder: Option<usize>,
    /// `Py_IsFinalizing`, under whichever name this version exports it; not of one that was loaded after the start.
    finalizing: Option<runtime::Finalizing>,
}

#[cfg(test)]
impl Python {
    /// An interpreter that is not there, for walks over memory images.
    pub(crate) fn for_tests(version: &Version) -> Self {
        Self {
            version_hex: 0x0300_00f0 | u64::from(version.minor) << 16,
            layout: version.layout,
            code_type: 0xc0de_0000,
            runtime: (0, 0),
            eval: [(0, 0); 2],
            access: runtime::Access::Call(runtime::no_thread_state),
            holder: None,
            finalizing: None,
        }
    }
}

/// What [`find`] found.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "made once, and there may be no allocation yet")]
pub(crate) enum Found {
    /// No interpreter in this process.
    None,
    /// One that can be walked.
    Known(Python),
    /// One of a version without a layout, or a build that does not agree with it.
    Unsupported { version_hex: u64 },
}

impl Found {
    /// Tells the collector what was found, in the session's header words.
    pub(crate) fn announce(&self, session: Session) {
        let store = |index, value: u64| session.word(index).store(value, Ordering::Relaxed);
        match self {
            Found::None => store(word::PY_STATE, python_state::NONE),
            Found::Unsupported { version_hex } => {
                store(word::PY_VERSION, *version_hex);
                store(word::PY_STATE, python_state::UNSUPPORTED);
            }
            Found::Known(python) => {
                store(word::PY_VERSION, python.version_hex);
                let [named, other] = python.eval;
                store(word::PY_EVAL_START, named.0 as u64);
                store(word::PY_EVAL_END, named.1 as u64);
                store(word::PY_EVAL_OTHER_START, other.0 as u64);
                store(word::PY_EVAL_OTHER_END, other.1 as u64);
                store(word::PY_TEXT, named.0 as u64);
                store(word::PY_RUNTIME_START, python.runtime.0 as u64);
                store(word::PY_RUNTIME_END, python.runtime.1 as u64);
                store(word::PY_CODE_TYPE, python.code_type as u64);
                store(word::PY_STATE, python_state::WALKED);
            }
        }
    }

    /// The version in `Py_Version`'s form; 0 without an interpreter.
    pub(crate) fn version_hex(&self) -> u64 {
        match self {
            Found::None => 0,
            Found::Known(python) => python.version_hex,
            Found::Unsupported { version_hex } => *version_hex,
        }
    }
}

static INSTALLED: OnceLock<Python> = OnceLock::new();

/// Makes `python` the one that is walked. Once, in the constructor or by [`adopt`].
pub(crate) fn install(python: Python) {
    let _ = INSTALLED.set(python);
}

/// Makes the interpreter that the collector has found since the start the one that is walked, if there is one; the
/// result is whether there is now. Async-signal-safe: one thread of all does it, once, and nobody waits for it.
#[inline]
pub(crate) fn adopt(session: Session) -> bool {
    session.word(word::PY_STATE).load(Ordering::Relaxed) == python_state::FOUND_LATE
        && adopt_found(session)
}

#[cold]
fn adopt_found(session: Session) -> bool {
    static ADOPTED: AtomicBool = AtomicBool::new(false);
    let state = session.word(word::PY_STATE);
    // Pairs with the collector's Release: the other words were written before this one.
    if state.load(Ordering::Acquire) != python_state::FOUND_LATE
        || ADOPTED.swap(true, Ordering::Relaxed)
    {
        return false;
    }
    let Found::Known(python) = runtime::told(session) else {
        state.store(python_state::UNSUPPORTED, Ordering::Relaxed);
        return false;
    };
    install(python);
    state.store(python_state::WALKED, Ordering::Relaxed);
    true
}

/// The interpreter that is walked. One load: safe in a handler.
#[inline]
pub(crate) fn installed() -> Option<&'static Python> {
    INSTALLED.get()
}

/// Whether the interpreter is shutting down: what it frees from now on was held to the end of the program.
/// A plain read of its state once the symbol is bound, so it may be asked in a hook.
#[inline]
pub(crate) fn is_finalizing() -> bool {
    installed().is_some_and(runtime::is_finalizing)
}

/// What is known of a version given in `Py_Version`'s form.
pub(crate) fn version_of(version_hex: u64) -> Option<&'static Version> {
    static KNOWN: [Version; VERSIONS.len()] = VERSIONS;
    KNOWN.iter().find(|version| 0x300 + u64::from(version.minor) == version_hex >> 16)
}

/// Whether a C function may be running while the innermost frame is at an instruction `opcode`.
#[cfg(any(test, feature = "record"))]
pub(crate) fn calls_c(version_hex: u64, opcode: u8) -> bool {
    version_of(version_hex)
        .is_some_and(|version| version.calls.iter().any(|&(_, call)| call == opcode))
}

/// The line of the instruction at byte `offset`, from the line table of a code object.
///
/// A negative offset means the function has not begun: its first line. An instruction without a line
/// belongs to the nearest earlier one that has one. `None` if the table does not reach that far (it was
/// cut, or is not a table), or the version is not known.
#[cfg(any(test, feature = "record", feature = "bench"))]
pub(crate) fn line(version_hex: u64, table: &[u8], first_line: u32, offset: i32) -> Option<u32> {
    lines::line(version_of(version_hex)?.layout.lines, table, first_line, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_found_by_their_hex_form() {
        assert!(VERSIONS.windows(2).all(|pair| pair[0].minor + 1 == pair[1].minor));
        assert_eq!(version_of(0x030b_07f0).unwrap().minor, 11);
        assert_eq!(version_of(0x0309_12f0).unwrap().minor, 9);
        for hex in [0, 0x0308_12f0, 0x0310_00f0, 0x020d_00f0, u64::MAX] {
            assert!(version_of(hex).is_none(), "{hex:#x}");
        }
    }

    #[test]
    fn calls_into_python_functions_are_not_calls_into_c() {
        let known = [
            // CALL, PRECALL, PRECALL_NO_KW_LEN, CALL_PY_EXACT_ARGS, PRECALL_PYFUNC
            (0x030b_07f0, [(171, true), (166, false), (78, true), (23, false), (143, false)]),
            // CALL, CALL_BUILTIN_O, CALL_PY_EXACT_ARGS, CALL_BOUND_METHOD_EXACT_ARGS, CALL_KW
            (0x030d_00f0, [(53, true), (168, true), (177, false), (163, false), (57, true)]),
            (0x030e_0af0, [(52, true), (149, true), (161, false), (144, false), (55, true)]),
            (0x030f_02f0, [(50, true), (150, true), (164, false), (145, false), (53, true)]),
        ];
        for (hex, opcodes) in known {
            for (opcode, expected) in opcodes {
                assert_eq!(calls_c(hex, opcode), expected, "{hex:#x} {opcode}");
            }
        }
        assert!(!calls_c(0x0310_00f0, 53), "unknown version");
    }

    #[test]
    fn opcode_numbers_are_those_of_the_headers() {
        let mut seen = 0;
        for interpreter in interpreters::all() {
            let Some(version) = version_of(interpreter.version_hex) else { continue };
            let Some(headers) = interpreter.opcode_headers() else { continue };
            let number = |name: &str| {
                headers.lines().find_map(|line| {
                    let mut words = line.split_whitespace();
                    let found = words.next() == Some("#define") && words.next() == Some(name);
                    found.then(|| words.next()?.parse::<u8>().ok()).flatten()
                })
            };
            for (name, value) in version.calls.iter().copied().chain(version.layout.init_cleanup) {
                assert_eq!(number(name), Some(value), "{name} in {}", interpreter.path);
            }
            seen += 1;
        }
        if seen == 0 {
            eprintln!("SKIPPED: no interpreter with headers to compare opcode numbers with");
        }
    }
}
