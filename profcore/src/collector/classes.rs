//! What a tick's time was: from the interrupted place, the leaf instruction and the kernel flag.

use profformat::record::Class;

use crate::modules::Place;

/// What is known about one observation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// The interrupted instruction stands right behind a system call.
    pub(crate) kernel: bool,
    /// Where the instruction stands.
    pub(crate) place: Place,
    /// The thread has a Python thread state.
    pub(crate) python: bool,
    /// The innermost Python instruction calls into C.
    pub(crate) calls_c: bool,
    /// The interpreter is collecting garbage.
    pub(crate) collecting: bool,
}

/// A native frame below the innermost Python frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// None.
    None,
    /// A builtin of the interpreter.
    Builtin,
    /// Named by the module the instruction stands in.
    Module,
}

/// The class of a tick, and the native frame to put below its Python stack.
pub(crate) fn classify(facts: Facts) -> (Class, Leaf) {
    use Place::*;
    let leaf = leaf(facts);
    let class = match (facts.kernel, facts.place, leaf) {
        (true, ..) => Class::Kernel,
        // Finalizers of other modules are theirs; so is what another thread does there meanwhile.
        (false, Eval | Interpreter | Libc | Shim, _) if facts.collecting => Class::Gc,
        (false, Foreign | Nowhere, _) | (false, _, Leaf::Builtin | Leaf::Module) => Class::Native,
        (false, Untold, _) if !facts.python => Class::Native,
        (false, Eval | Interpreter | Libc | Shim | Untold, Leaf::None) => Class::Python,
    };
    (class, leaf)
}

/// The native frame below the Python stack of a tick.
fn leaf(facts: Facts) -> Leaf {
    use Place::*;
    match facts.place {
        Foreign | Nowhere => Leaf::Module,
        // No Python to blame: a native program, or a thread that never entered the interpreter.
        Libc | Shim if !facts.python => Leaf::Module,
        Libc | Shim | Interpreter if facts.calls_c && !facts.kernel => Leaf::Builtin,
        Eval | Interpreter | Libc | Shim | Untold => Leaf::None,
    }
}

/// The native frame below the Python stack of an allocation or a copy: only other modules are worth a name.
pub(crate) fn leaf_of_call(place: Place, python: bool) -> Leaf {
    match place {
        Place::Foreign => Leaf::Module,
        Place::Libc if !python => Leaf::Module,
        _ => Leaf::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_class() {
        use Leaf::{Builtin, Module, None as Bare};
        use Place::*;
        // kernel, place, python, calls_c → class, leaf
        let table = [
            (false, Eval, true, false, Class::Python, Bare),
            // The loop itself stands at a CALL while it prepares one: still the interpreter.
            (false, Eval, true, true, Class::Python, Bare),
            (false, Interpreter, true, false, Class::Python, Bare),
            (false, Interpreter, true, true, Class::Native, Builtin),
            (false, Libc, true, false, Class::Python, Bare),
            (false, Libc, true, true, Class::Native, Builtin),
            (false, Shim, true, false, Class::Python, Bare),
            (false, Shim, true, true, Class::Native, Builtin),
            (false, Foreign, true, false, Class::Native, Module),
            (false, Foreign, true, true, Class::Native, Module),
            (false, Nowhere, true, false, Class::Native, Module),
            // No thread state: start-up and end of the interpreter, and native threads.
            (false, Eval, false, false, Class::Python, Bare),
            (false, Interpreter, false, false, Class::Python, Bare),
            (false, Libc, false, false, Class::Native, Module),
            (false, Foreign, false, false, Class::Native, Module),
            (false, Untold, true, true, Class::Python, Bare),
            (false, Untold, false, false, Class::Native, Bare),
            (true, Libc, true, true, Class::Kernel, Bare),
            (true, Interpreter, true, true, Class::Kernel, Bare),
            (true, Eval, true, false, Class::Kernel, Bare),
            (true, Foreign, true, true, Class::Kernel, Module),
            (true, Libc, false, false, Class::Kernel, Module),
            (true, Nowhere, false, false, Class::Kernel, Module),
        ];
        for (kernel, place, python, calls_c, class, leaf) in table {
            let facts = Facts { kernel, place, python, calls_c, collecting: false };
            assert_eq!(classify(facts), (class, leaf), "{facts:?}");
            let in_interpreter = matches!(place, Eval | Interpreter | Libc | Shim);
            let class = if in_interpreter && !kernel { Class::Gc } else { class };
            let facts = Facts { collecting: true, ..facts };
            assert_eq!(classify(facts).0, class, "{facts:?}");
        }
    }

    #[test]
    fn calls_are_named_by_foreign_modules_only() {
        assert_eq!(leaf_of_call(Place::Foreign, true), Leaf::Module);
        assert_eq!(leaf_of_call(Place::Interpreter, true), Leaf::None);
        assert_eq!(leaf_of_call(Place::Libc, true), Leaf::None);
        assert_eq!(leaf_of_call(Place::Libc, false), Leaf::Module);
        assert_eq!(leaf_of_call(Place::Nowhere, true), Leaf::None);
    }
}
