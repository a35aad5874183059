//! One true stack out of two: Python frames stand where their evaluation stands among the native frames.
//!
//! ```text
//!   native, innermost first      Python, innermost first       one stack, innermost first
//!   deflate       (libz)         squeeze  entered              deflate
//!   zlib_compress (builtin)      main     entered              zlib_compress
//!   eval                                                       squeeze
//!   list_sort     (builtin)                                    list_sort
//!   eval                                                       main
//!   pymain_run
//! ```
//!
//! A call of the evaluation function runs Python frames up to the one that was entered from C.

/// What a native frame is in this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call of the interpreter's evaluation function.
    Eval,
    /// A function of the interpreter that has no name, or only passes a call on.
    Passage,
    /// Anything else worth telling.
    Told,
    /// Ours.
    Shim,
}

/// A frame of the result: the position of a native frame, or of a Python frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Native(usize),
    Python(usize),
}

/// Merges native frames with Python frames, of which it is known whether they were entered from C. All are
/// innermost first. Native frames outside the outermost Python frame (the launcher) are left out; all are told
/// when there is no Python frame. Where native frames are missing, Python frames follow each other.
pub(crate) fn interleave(native: &[Kind], entered: &[bool]) -> Vec<Item> {
    let mut items = Vec::with_capacity(native.len() + entered.len());
    let mut python = 0;
    let evaluated = native.contains(&Kind::Eval);
    for (position, kind) in native.iter().enumerate() {
        match kind {
            Kind::Eval => {
                while let Some(&last) = entered.get(python) {
                    items.push(Item::Python(python));
                    python += 1;
                    if last {
                        break;
                    }
                }
                if python == entered.len() && python > 0 {
                    break;
                }
            }
            // The evaluation function cannot be told from others in this build, or was not reached: Python frames
            // are below the first function of the interpreter.
            Kind::Passage if !evaluated && !entered.is_empty() => break,
            Kind::Passage | Kind::Shim => {}
            Kind::Told => items.push(Item::Native(position)),
        }
    }
    items.extend((python..entered.len()).map(Item::Python));
    items
}

/// Whether a function of the interpreter only passes a call on, starts the interpreter or ends it: many of
/// these stand between any two frames, and tell nothing.
pub(crate) fn is_passage(name: &str) -> bool {
    const EXACT: [&str; 10] = [
        "_start",
        "main",
        "__libc_start_main",
        "__libc_start_call_main",
        "cfunction_call",
        "object_vacall",
        "_Py_CheckFunctionResult",
        "_Py_EnsureFuncTstateNotNULL",
        "function_code_fastcall",
        "gen_send_ex2",
    ];
    const BEGIN: [&str; 15] = [
        "_PyEval_",
        "PyEval_",
        "_PyFunction_Vectorcall",
        "PyObject_Vectorcall",
        "_PyObject_Vectorcall",
        "_PyObject_Call",
        "PyObject_Call",
        "_PyObject_FastCall",
        "_PyObject_MakeTpCall",
        "_PyVectorcall_",
        "PyVectorcall_",
        "method_vectorcall",
        "cfunction_vectorcall",
        "vectorcall_",
        "gen_send_ex",
    ];
    const PARTS: [&str; 4] = ["pymain_", "Py_RunMain", "Py_BytesMain", "pyrun_"];
    EXACT.contains(&name)
        || BEGIN.iter().any(|begin| name.starts_with(begin))
        || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a function that the evaluation function calls at a call instruction is still the interpreter's own work: it
/// calls a function written in Python, with the making and freeing of its frame, or unwinds an exception that one
/// raised.
pub(crate) fn is_own_work(name: &str) -> bool {
    const BEGIN: [&str; 8] = [
        "_PyFunction_Vectorcall",
        "function_code_fastcall",
        "_PyEval_EvalCode",
        "_PyEval_Vector",
        "PyTraceBack_Here",
        "PyErr_",
        "_PyErr_",
        "PyFrame_BlockSetup",
    ];
    BEGIN.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::Item::{Native as N, Python as P};
    use super::Kind::*;
    use super::*;

    #[test]
    fn python_frames_stand_where_they_are_evaluated() {
        // As in the picture above.
        let native = [Told, Told, Eval, Told, Eval, Passage];
        assert_eq!(interleave(&native, &[true, true]), [N(0), N(1), P(0), N(3), P(1)]);
        // Several Python frames in one call of the evaluation function.
        let native = [Passage, Eval, Told, Eval];
        let entered = [false, false, true, false, true];
        assert_eq!(interleave(&native, &entered), [P(0), P(1), P(2), N(2), P(3), P(4)]);
    }

    #[test]
    fn frames_that_are_missing_cost_no_python_frame() {
        for (native, entered, expected) in [
            (&[][..], &[true, true][..], vec![P(0), P(1)]),
            (&[Told, Eval], &[true, true, true], vec![N(0), P(0), P(1), P(2)]),
            // Not reached: everything up to the interpreter is inside.
            (&[Told, Told, Passage, Told], &[true], vec![N(0), N(1), P(0)]),
            (&[Told, Told], &[true], vec![N(0), N(1), P(0)]),
            // More calls of the evaluation function than frames: one begins or ends.
            (&[Eval, Eval, Told], &[true], vec![P(0)]),
        ] {
            assert_eq!(interleave(native, entered), expected, "{native:?} {entered:?}");
        }
    }

    #[test]
    fn without_python_all_native_frames_are_told_but_ours() {
        assert_eq!(interleave(&[Shim, Told, Told], &[]), [N(1), N(2)]);
        assert_eq!(interleave(&[Told, Eval, Told], &[]), [N(0), N(2)]);
        assert_eq!(interleave(&[], &[]), []);
    }

    #[test]
    fn own_work_is_calls_of_python_and_unwinding() {
        for name in
            ["_PyFunction_Vectorcall", "_PyEval_Vector.cold", "PyTraceBack_Here", "_PyErr_Fetch"]
        {
            assert!(is_own_work(name), "{name}");
        }
        for name in
            ["cfunction_call", "_PyObject_MakeTpCall", "_PyEval_EvalFrameDefault", "list_sort"]
        {
            assert!(!is_own_work(name), "{name}");
        }
    }

    /// Every Python frame comes out once and in order, whatever is put in.
    #[test]
    fn no_python_frame_is_lost() {
        let kinds = [Eval, Passage, Told, Shim];
        for bits in 0..1 << 12 {
            let native: Vec<Kind> = (0..6).map(|n| kinds[bits >> (2 * n) & 3]).collect();
            for flags in 0..1 << 4 {
                let entered: Vec<bool> = (0..4).map(|n| flags >> n & 1 == 1).collect();
                let items = interleave(&native, &entered);
                let python: Vec<Item> =
                    items.into_iter().filter(|item| matches!(item, P(_))).collect();
                assert_eq!(python, [P(0), P(1), P(2), P(3)]);
            }
        }
    }
}
