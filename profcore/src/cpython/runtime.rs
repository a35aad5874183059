//! The interpreter in this process: found by its exported symbols in the constructor, or told by the collector later;
//! asked for the own thread's state.

use super::{Found, Python, eval, offsets, version_of};
use crate::session::{Session, word};
use crate::sync::Ordering;
use crate::sys::probe;
use core::ffi::{CStr, c_char, c_uint, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicUsize;

/// `PyGILState_GetThisThreadState`: the thread state of the calling thread, with or without the GIL.
pub(super) type Accessor = unsafe extern "C" fn() -> *mut c_void;

/// `pthread_getspecific`.
type GetSpecific = unsafe extern "C" fn(c_uint) -> *mut c_void;

/// How the calling thread's Python thread state is had.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// From the interpreter.
    Call(Accessor),
    /// By the key that the interpreter keeps it under, a `Py_tss_t` at this address. Nothing is called that the program
    /// could unload, and nothing that the loader has yet to bind.
    Key(usize),
}

/// Address of libc's `pthread_getspecific`, looked up by the constructor; 0 before.
static GET_SPECIFIC: AtomicUsize = AtomicUsize::new(0);

/// `Py_IsFinalizing`: non-zero once the runtime has begun to shut down.
pub(super) type Finalizing = unsafe extern "C" fn() -> core::ffi::c_int;

/// From `<dlfcn.h>`; the libc crate does not have it.
const RTLD_DL_SYMENT: libc::c_int = 1;

/// Looks for an interpreter among the loaded objects. For the constructor: it calls the loader, so it may
/// neither run in a handler nor in a hook. The interpreter need not have been initialised.
pub(crate) fn find() -> Found {
    GET_SPECIFIC.store(symbol(c"pthread_getspecific").unwrap_or(0), Ordering::Relaxed);
    let (Some(runtime), Some(code_type), Some(accessor), Some(eval)) = (
        symbol(c"_PyRuntime"),
        symbol(c"PyCode_Type"),
        symbol(c"PyGILState_GetThisThreadState"),
        symbol(c"_PyEval_EvalFrameDefault"),
    ) else {
        return Found::None;
    };
    let Some(version_hex) = version_hex() else { return Found::None };
    // SAFETY: the symbol is this function in every version that has a layout; it takes nothing and
    // returns a pointer.
    let accessor = unsafe { core::mem::transmute::<usize, Accessor>(accessor) };
    // Public under the first name from 3.13 on, exported under the second before.
    let finalizing =
        symbol(c"Py_IsFinalizing").or_else(|| symbol(c"_Py_IsFinalizing")).map(|address| {
            // SAFETY: both names are `int f(void)` in every version that has one.
            unsafe { core::mem::transmute::<usize, Finalizing>(address) }
        });
    let runtime = (runtime, runtime + size_of_symbol(runtime));
    let access = Access::Call(accessor);
    known(version_hex, runtime, code_type, Some(access), |python| Python {
        eval: parts_of(eval),
        finalizing,
        ..python
    })
}

/// The interpreter that the collector found in the process after the constructor had run. Async-signal-safe: numbers
/// of the session's header, and guarded reads of the runtime. Its allocators are not wrapped and it is not asked
/// whether it is shutting down.
pub(super) fn told(session: Session) -> Found {
    let load = |at: usize| session.word(at).load(Ordering::Relaxed) as usize;
    let runtime = (load(word::PY_RUNTIME_START), load(word::PY_RUNTIME_END));
    let version_hex = load(word::PY_VERSION) as u64;
    let key = version_of(version_hex).and_then(|version| version.thread_key);
    let access = key.map(|key| Access::Key(runtime.0.wrapping_add(key)));
    known(version_hex, runtime, load(word::PY_CODE_TYPE), access, |python| python)
}

/// An interpreter of this version, if its layout is known and the runtime's own description agrees with it.
fn known(
    version_hex: u64,
    runtime: (usize, usize),
    code_type: usize,
    access: Option<Access>,
    complete: impl FnOnce(Python) -> Python,
) -> Found {
    let unsupported = Found::Unsupported { version_hex };
    let (Some(version), Some(access)) = (version_of(version_hex), access) else {
        return unsupported;
    };
    // Alphas, betas and release candidates have had other layouts than the release.
    if version_hex >> 4 & 0xf != 0xf {
        return unsupported;
    }
    let mut layout = version.layout;
    if let Some(at) = &version.debug_offsets {
        if !offsets::agree(runtime.0, version_hex, at, &layout) {
            return unsupported;
        }
        let told = offsets::collecting(runtime.0, at);
        layout.collecting.flag = told.unwrap_or(layout.collecting.flag);
    }
    Found::Known(complete(Python {
        version_hex,
        layout,
        code_type,
        runtime,
        eval: [(0, 0); 2],
        access,
        holder: version.holder.map(|at| runtime.0.wrapping_add(at)),
        finalizing: None,
    }))
}

/// Address of the calling thread's Python thread state; 0 if it has none.
///
/// Safe in a handler once it has been called outside one with a result other than 0: the accessor is then
/// bound and does no more than `pthread_getspecific` (rule R1). By the key, it is safe at once.
#[inline]
pub(crate) fn thread_state(python: &Python) -> usize {
    let state = match python.access {
        // SAFETY: the accessor may be called at any time, also before initialisation and after finalisation:
        // it then returns null.
        Access::Call(accessor) => unsafe { accessor() as usize },
        Access::Key(at) => of_key(at),
    };
    match python.holder {
        Some(holder) if state != 0 => of_holder(python, holder, state).unwrap_or(state),
        _ => state,
    }
}

/// The value that the calling thread keeps under the key at `at`: a flag that it was made, and its number.
fn of_key(at: usize) -> usize {
    let get = core::ptr::with_exposed_provenance::<c_void>(GET_SPECIFIC.load(Ordering::Relaxed));
    // SAFETY: 0 is `None`; anything else is the address of libc's function of this type.
    let get = unsafe { core::mem::transmute::<*const c_void, Option<GetSpecific>>(get) };
    match (probe::word(at), get) {
        // SAFETY: takes any number: of a key that was not made, or is none, the value is null.
        (Some(key), Some(get)) if key as u32 == 1 => unsafe { get((key >> 32) as u32) as usize },
        _ => 0,
    }
}

/// The thread state that holds the GIL, if it is another one of the thread of `state`: before 3.12 a thread that runs
/// in a subinterpreter has its state in the main one under the key.
fn of_holder(python: &Python, holder: usize, state: usize) -> Option<usize> {
    let current = probe::word(holder)? as usize;
    if current == state || !probe::plausible(current) {
        return None;
    }
    let thread = |state: usize| probe::word(state.wrapping_add(python.layout.threads.thread_id));
    (thread(current)? == thread(state)?).then_some(current)
}

pub(super) fn is_finalizing(python: &Python) -> bool {
    // SAFETY: reads the runtime's state, at any time, before initialization too.
    python.finalizing.is_some_and(|finalizing| unsafe { finalizing() != 0 })
}

fn symbol(name: &CStr) -> Option<usize> {
    // SAFETY: a terminated string; RTLD_DEFAULT searches the objects already loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// Bytes of the function that begins at `address`; 0 if the symbol table does not say.
fn size_of_symbol(address: usize) -> usize {
    let mut info = MaybeUninit::<libc::Dl_info>::uninit();
    let mut entry: *mut c_void = core::ptr::null_mut();
    // SAFETY: both results are written by the call, which is given room for them.
    let found = unsafe {
        libc::dladdr1(address as *const c_void, info.as_mut_ptr(), &mut entry, RTLD_DL_SYMENT)
    };
    if found == 0 || entry.is_null() {
        return 0;
    }
    // SAFETY: with RTLD_DL_SYMENT the entry is the object's own symbol, mapped as long as the object.
    let (info, entry) = unsafe { (info.assume_init(), &*entry.cast::<libc::Elf64_Sym>()) };
    if info.dli_saddr as usize == address { entry.st_size as usize } else { 0 }
}

/// The address ranges of the function that begins at `address`; each is empty if it is not known.
fn parts_of(address: usize) -> [eval::Range; 2] {
    let named = (address, address + size_of_symbol(address));
    let Some(code) = code_around(address) else { return [named, (0, 0)] };
    let named = if named.0 < named.1 { named } else { code.part(address).unwrap_or(named) };
    [named, code.other_part(named)]
}

/// What [`segment`] looks for, and what it found: (address, bytes).
struct Search {
    address: usize,
    text: Option<(usize, usize)>,
    functions: Option<(usize, usize)>,
}

/// The mapped code around `address`, with its table of functions.
fn code_around(address: usize) -> Option<eval::Code<'static>> {
    let mut search = Search { address, text: None, functions: None };
    // SAFETY: the callback has the type that is asked for, and `search` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(segment), (&raw mut search).cast()) };
    let bytes = |(at, len): (usize, usize)| {
        // SAFETY: a segment that may be read and is not written, of the interpreter's own module: it is
        // mapped as long as there is an interpreter.
        unsafe { core::slice::from_raw_parts(at as *const u8, len) }
    };
    let (text, functions) = (search.text?, search.functions?);
    eval::Code::new(text.0, bytes(text), functions.0, bytes(functions))
}

/// Called by the loader for each object, until the result is not 0.
unsafe extern "C" fn segment(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    search: *mut c_void,
) -> core::ffi::c_int {
    // SAFETY: the loader lends one description; `search` is what `code_around` gave it.
    let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
    // SAFETY: the object's program headers, of which there are as many as it says.
    let headers =
        unsafe { core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let range = |header: &libc::Elf64_Phdr| {
        ((info.dlpi_addr + header.p_vaddr) as usize, header.p_memsz as usize)
    };
    let is_text = |header: &&libc::Elf64_Phdr| {
        let (at, len) = range(header);
        let wanted = libc::PF_R | libc::PF_X;
        header.p_type == libc::PT_LOAD
            && header.p_flags == wanted
            && (at..at + len).contains(&search.address)
    };
    search.text = headers.iter().find(is_text).map(range);
    let functions = headers.iter().find(|header| header.p_type == libc::PT_GNU_EH_FRAME);
    search.functions = functions.map(range);
    search.text.is_some().into()
}

/// The version in `Py_Version`'s form.
fn version_hex() -> Option<u64> {
    if let Some(constant) = symbol(c"Py_Version") {
        // SAFETY: `const unsigned long Py_Version`, initialised data, from 3.11 on.
        return Some(unsafe { *(constant as *const u64) });
    }
    let function = symbol(c"Py_GetVersion")?;
    // SAFETY: `const char *Py_GetVersion(void)`: formats constants into a static buffer, at any time.
    let text = unsafe {
        let function =
            core::mem::transmute::<usize, unsafe extern "C" fn() -> *const c_char>(function);
        CStr::from_ptr(function())
    };
    parse_version(text.to_str().ok()?)
}

/// `3.9.18 (main, ...)` or `3.10.0rc2+ (...)` in `Py_Version`'s form.
fn parse_version(text: &str) -> Option<u64> {
    let text = text.split_whitespace().next()?;
    let mut parts = text.splitn(3, '.');
    let major: u64 = parts.next()?.parse().ok()?;
    let minor: u64 = parts.next()?.parse().ok()?;
    let rest = parts.next()?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let micro: u64 = rest[..digits].parse().ok()?;
    let level = match rest.as_bytes().get(digits) {
        Some(b'a') => 0xa,
        Some(b'b') => 0xb,
        Some(b'r' | b'c') => 0xc,
        _ => 0xf,
    };
    let fits = major < 256 && minor < 256 && micro < 256;
    fits.then_some(major << 24 | minor << 16 | micro << 8 | level << 4)
}

/// An accessor that finds no thread state.
#[cfg(test)]
pub(super) extern "C" fn no_thread_state() -> *mut c_void {
    core::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_texts_are_read() {
        for (text, hex) in [
            ("3.9.18 (main, Jan 1 2024) [GCC 12]", Some(0x0309_12f0)),
            ("3.10.13+ (heads/3.10)", Some(0x030a_0df0)),
            ("3.10.0rc2", Some(0x030a_00c0)),
            ("3.10.0b1", Some(0x030a_00b0)),
            ("3.9", None),
            ("", None),
            ("3.9.x", None),
            ("3.9.300", None),
        ] {
            assert_eq!(parse_version(text), hex, "{text}");
        }
    }

    #[test]
    fn a_process_without_python_has_none() {
        assert!(matches!(find(), Found::None));
        assert_eq!(find().version_hex(), 0);
    }

    #[test]
    fn the_size_of_an_exported_function_is_known() {
        let address = symbol(c"qsort").unwrap();
        assert!(size_of_symbol(address) > 0);
        assert_eq!(size_of_symbol(8), 0);
    }

    #[test]
    fn the_code_around_a_function_tells_where_it_begins() {
        let address = symbol(c"qsort").unwrap();
        let part = code_around(address).unwrap().part(address + 1).unwrap();
        assert_eq!(part.0, address);
        assert!(part.1 >= address + size_of_symbol(address));
        assert!(code_around(8).is_none());
    }
}
