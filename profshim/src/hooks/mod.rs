//! The interposed functions. The list below is the only place that names them.
//!
//! Each entry is one jump to the hook's body, but for the few that programs call most: those are [`hot`], in assembly.
//! `caller in REGISTER` puts the caller's address behind the body's other arguments, so that a sample can name the code
//! that called.

pub(crate) mod process;
pub(crate) mod python;

mod alloc;
mod copy;
mod exec;
mod hot;
mod library;
mod mapping;
mod signal;

macro_rules! hooks {
    (hot { $($hot:ident => $code:path;)* } $($name:ident => $body:path $(, caller in $register:literal)?;)*) => {
        $(
            /// The hook of this name; takes and returns what the function does.
            // SAFETY: as below.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub(crate) unsafe extern "C" fn $hot() {
                $code!()
            }
        )*
        $(
            /// Entry of the hook; takes and returns what the function of this name does.
            // SAFETY: the name stands for the function that the dynamic linker would bind otherwise; the
            // body keeps its contract.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub(crate) unsafe extern "C" fn $name() {
                core::arch::naked_asm!(
                    $(concat!("mov ", $register, ", qword ptr [rsp]"),)?
                    "jmp {body}",
                    body = sym $body,
                )
            }
        )*
    };
}

hooks! {
    hot {
        malloc => hot::malloc;
        free => hot::free;
        memcpy => hot::memmove;
        memmove => hot::memmove;
    }
    calloc => alloc::calloc, caller in "rdx";
    realloc => alloc::realloc, caller in "rdx";
    reallocarray => alloc::reallocarray, caller in "rcx";
    cfree => alloc::free_alias;
    free_sized => alloc::free_alias;
    free_aligned_sized => alloc::free_alias;
    posix_memalign => alloc::posix_memalign, caller in "rcx";
    aligned_alloc => alloc::aligned_alloc, caller in "rdx";
    memalign => alloc::memalign, caller in "rdx";
    valloc => alloc::valloc, caller in "rsi";
    pvalloc => alloc::pvalloc, caller in "rsi";
    malloc_usable_size => alloc::malloc_usable_size;
    mempcpy => copy::mempcpy, caller in "rcx";
    __memcpy_chk => copy::memcpy_chk, caller in "r8";
    __memmove_chk => copy::memmove_chk, caller in "r8";
    __mempcpy_chk => copy::mempcpy_chk, caller in "r8";
    mmap => mapping::mmap;
    mmap64 => mapping::mmap;
    munmap => mapping::munmap;
    mremap => mapping::mremap;
    sbrk => mapping::sbrk;
    brk => mapping::brk;
    pthread_create => process::pthread_create;
    _exit => process::exit;
    _Exit => process::exit;
    execve => exec::execve;
    execv => exec::execv;
    execvp => exec::execvp;
    execvpe => exec::execvpe;
    fexecve => exec::fexecve;
    execveat => exec::execveat;
    execl => exec::execl;
    execlp => exec::execlp;
    execle => exec::execle;
    posix_spawn => exec::posix_spawn;
    posix_spawnp => exec::posix_spawnp;
    sigaction => signal::sigaction;
    signal => signal::signal;
    bsd_signal => signal::signal;
    ssignal => signal::signal;
    sysv_signal => signal::sysv_signal;
    __sysv_signal => signal::sysv_signal;
    sigset => signal::sigset;
    sigignore => signal::sigignore;
    siginterrupt => signal::siginterrupt;
    sigaltstack => signal::sigaltstack;
    sigwait => signal::sigwait;
    sigwaitinfo => signal::sigwaitinfo;
    sigtimedwait => signal::sigtimedwait;
    sigpending => signal::sigpending;
    dlclose => library::dlclose;
}
