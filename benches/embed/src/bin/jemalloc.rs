//! jemalloc with its own profiler.

use std::ffi::{CString, c_char};

use embed_bench::{Asked, Seen, Tool, main_with};
use tikv_jemalloc_ctl::raw;

#[global_allocator]
static ALLOC: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A pointer that C reads.
#[repr(transparent)]
pub struct Conf(*const c_char);

// SAFETY: what it points to is never written.
unsafe impl Sync for Conf {}

// `prof_accum`: sums of all allocations, as the others have them, not of live blocks only. 2^19 bytes are 512 KiB.
// SAFETY: it is the symbol, and of the type, that jemalloc looks for.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static CONF: Conf =
    Conf(c"prof:true,prof_active:false,prof_accum:true,lg_prof_sample:19".as_ptr());

struct Prof;

fn set_active(active: bool) {
    // SAFETY: `prof.active` is a bool.
    unsafe { raw::write(b"prof.active\0", active) }.expect("prof.active");
}

impl Tool for Prof {
    fn start(asked: &Asked) -> Self {
        assert_eq!(asked.kib, Some(512), "set when the process starts");
        set_active(true);
        Self
    }

    fn report(&mut self, _seen: &mut Seen) -> bool {
        false
    }

    fn write(&mut self, seen: &mut Seen) -> bool {
        let path = std::env::temp_dir().join(format!("embed-jemalloc-{}.heap", std::process::id()));
        let name = CString::new(path.as_os_str().as_encoded_bytes()).expect("no zero");
        // SAFETY: `prof.dump` is a pointer to a string, which lives until the call is over.
        unsafe { raw::write(b"prof.dump\0", name.as_ptr()) }.expect("prof.dump");
        let dump = std::fs::read_to_string(&path).expect("the dump");
        let _ = std::fs::remove_file(&path);
        seen.alloc_bytes = accumulated(&dump);
        true
    }

    fn stop(self, _seen: &mut Seen) {
        set_active(false);
    }
}

/// Of the line `t*: objects: bytes [objects: bytes]`, the last two, of sampled blocks: each block stands for more the smaller it
/// is. Its readers do so stack by stack; here one size, the mean, is near enough, as all blocks are far smaller than the interval.
fn accumulated(dump: &str) -> Option<f64> {
    let line = dump.lines().find(|line| line.trim_start().starts_with("t*:"))?;
    let (_, inside) = line.split_once('[')?;
    let (objects, bytes) = inside.trim_end_matches(']').split_once(':')?;
    let (objects, bytes): (f64, f64) = (objects.trim().parse().ok()?, bytes.trim().parse().ok()?);
    Some(bytes / (1.0 - (-bytes / objects / f64::from(1 << 19)).exp()))
}

fn main() {
    main_with::<Prof>();
}
