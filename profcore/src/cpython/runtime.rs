//! The interpreter in this process: found once by its exported symbols, asked for the own thread's state.

use super::{Found, Python, eval, offsets, version_of};
use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;

/// `PyGILState_GetThisThreadState`: the thread state of the calling thread, with or without the GIL.
pub(super) type Accessor = unsafe extern "C" fn() -> *mut c_void;

/// `Py_IsFinalizing`: non-zero once the runtime has begun to shut down.
pub(super) type Finalizing = unsafe extern "C" fn() -> core::ffi::c_int;

/// From `<dlfcn.h>`; the libc crate does not have it.
const RTLD_DL_SYMENT: libc::c_int = 1;

/// Looks for an interpreter among the loaded objects. For the constructor: it calls the loader, so it may
/// neither run in a handler nor in a hook. The interpreter need not have been initialised.
pub(crate) fn find() -> Found {
    let (Some(runtime), Some(code_type), Some(accessor), Some(eval)) = (
        symbol(c"_PyRuntime"),
        symbol(c"PyCode_Type"),
        symbol(c"PyGILState_GetThisThreadState"),
        symbol(c"_PyEval_EvalFrameDefault"),
    ) else {
        return Found::None;
    };
    let Some(version_hex) = version_hex() else { return Found::None };
    let unsupported = Found::Unsupported { version_hex };
    let Some(version) = version_of(version_hex) else { return unsupported };
    // Alphas, betas and release candidates have had other layouts than the release.
    if version_hex >> 4 & 0xf != 0xf {
        return unsupported;
    }
    let mut layout = version.layout;
    if let Some(at) = &version.debug_offsets {
        if !offsets::agree(runtime, version_hex, at, &layout) {
            return unsupported;
        }
        layout.collecting.flag = offsets::collecting(runtime, at).unwrap_or(layout.collecting.flag);
    }
    // SAFETY: the symbol is this function in every version that has a layout; it takes nothing and
    // returns a pointer.
    let accessor = unsafe { core::mem::transmute::<usize, Accessor>(accessor) };
    // Public under the first name from 3.13 on, exported under the second before.
    let finalizing =
        symbol(c"Py_IsFinalizing").or_else(|| symbol(c"_Py_IsFinalizing")).map(|address| {
            // SAFETY: both names are `int f(void)` in every version that has one.
            unsafe { core::mem::transmute::<usize, Finalizing>(address) }
        });
    Found::Known(Python {
        version_hex,
        layout,
        code_type,
        runtime: (runtime, runtime + size_of_symbol(runtime)),
        eval: parts_of(eval),
        accessor,
        finalizing,
    })
}

/// Address of the calling thread's Python thread state; 0 if it has none.
///
/// Safe in a handler once it has been called outside one with a result other than 0: the accessor is then
/// bound and does no more than `pthread_getspecific` (rule R1).
#[inline]
pub(crate) fn thread_state(python: &Python) -> usize {
    // SAFETY: the accessor may be called at any time, also before initialisation and after finalisation:
    // it then returns null.
    unsafe { (python.accessor)() as usize }
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
