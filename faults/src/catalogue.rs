//! The rows, in the order of their numbers. All of them have to pass.

use crate::row::Row;
use crate::rows::{
    allocator, copies, disk, ends, environment, forks, limits, reader, ring, signals, soak, stacks,
    stops, ticks,
};

/// The catalogue.
#[rustfmt::skip]
pub(crate) static ROWS: &[Row] = &[
    Row { number: "1", fault: "tick storm inside malloc", try_it: ticks::storm_inside_malloc },
    Row { number: "2", fault: "tick inside dlopen and dlclose", try_it: ticks::inside_dlopen },
    Row { number: "3", fault: "tick while a C++ exception unwinds", try_it: ticks::while_exceptions_unwind },
    Row { number: "4", fault: "tick in frameless code, rbp is junk", try_it: ticks::in_frameless_code },
    Row { number: "5", fault: "tiny alternate stack", try_it: stacks::tiny_alternate_stack },
    Row { number: "5b", fault: "alternate stack below the kernel's frame", try_it: stacks::alternate_stack_below_a_frame },
    Row { number: "6", fault: "thread stack almost used up", try_it: stacks::stack_used_up },
    Row { number: "7", fault: "stop with queued ticks", try_it: stops::with_queued_ticks },
    Row { number: "8", fault: "exec while sampling", try_it: stops::exec_while_sampling },
    Row { number: "9", fault: "thread churn", try_it: stops::thread_churn },
    Row { number: "10", fault: "RLIMIT_SIGPENDING is small", try_it: limits::few_queued_signals },
    Row { number: "11", fault: "timer_create fails at the nth call", try_it: limits::no_timers },
    Row { number: "12", fault: "no memory for mmap and memfd_create", try_it: limits::no_memory },
    Row { number: "13", fault: "fork while every thread allocates", try_it: forks::while_allocating },
    Row { number: "14", fault: "fork inside a signal handler", try_it: forks::inside_a_handler },
    Row { number: "15", fault: "sudden ends of the program", try_it: ends::of_the_program },
    Row { number: "16", fault: "SIGKILL to the collector", try_it: ends::of_the_collector },
    Row { number: "17", fault: "disk full", try_it: disk::full },
    Row { number: "18", fault: "RLIMIT_FSIZE", try_it: disk::file_size_limit },
    Row { number: "19", fault: "the reader of a pipe dies", try_it: disk::reader_of_a_pipe_dies },
    Row { number: "20", fault: "no writable place for the trace", try_it: disk::not_writable },
    Row { number: "21", fault: "trace cut at every byte", try_it: reader::cut_anywhere },
    Row { number: "22", fault: "each bit of a trace flipped", try_it: reader::any_bit_flipped },
    Row { number: "23", fault: "reader and exporters on mutated traces", try_it: reader::mutated },
    Row { number: "24", fault: "huge declared lengths and counts", try_it: reader::huge_numbers },
    Row { number: "25", fault: "dlsym during bootstrap", try_it: allocator::during_bootstrap },
    Row { number: "26", fault: "free and realloc of bootstrap blocks", try_it: allocator::bootstrap_blocks },
    Row { number: "27", fault: "the malloc family, edge arguments", try_it: allocator::edge_arguments },
    Row { number: "28", fault: "what glibc's malloc tests ask", try_it: allocator::as_glibc_tests },
    Row { number: "29", fault: "allocation in destructors of keys", try_it: allocator::in_destructors_of_keys },
    Row { number: "30", fault: "no room left for static TLS", try_it: allocator::no_room_for_thread_locals },
    Row { number: "31", fault: "started through a launcher script", try_it: environment::launcher },
    Row { number: "32", fault: "copies before constructors, all versions", try_it: copies::every_form },
    Row { number: "33", fault: "copies of all sizes and alignments", try_it: copies::every_size },
    Row { number: "34", fault: "EINTR", try_it: signals::interrupted_calls },
    Row { number: "35", fault: "signals blocked or ignored at start", try_it: signals::blocked_or_ignored },
    Row { number: "36", fault: "the program takes our signal", try_it: signals::own_handler },
    Row { number: "37", fault: "faulthandler and a real fault", try_it: signals::fault_handlers },
    Row { number: "38", fault: "environment with bad values", try_it: environment::bad_values },
    Row { number: "39", fault: "ring overflow", try_it: ring::overflow },
    Row { number: "40", fault: "twice on one name, many at once", try_it: environment::at_once },
];

/// What is asked for by `--soak`.
pub(crate) static SOAK: Row =
    Row { number: "soak", fault: "long at the highest rate", try_it: soak::soak };
