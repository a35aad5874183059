//! What `prof run` says when the program has ended, all of it on standard error.

use std::io::{self, Write};
use std::path::Path;

use profformat::Filter;
use profformat::analysis::{Profile, Survey};
use profformat::export::text;

use super::{Args, Run, shown};
use crate::live::Left;
use crate::look::summary_options;
use crate::report::Files;

/// Says what went wrong, and unless told to be quiet, what was found.
pub(super) fn tell(args: &Args, run: &Run) {
    let Run { ended, remark, trace, output, left } = run;
    let name = shown(trace);
    let mut words = String::new();
    if let Some(error) = &ended.failure {
        words += &format!("prof: {name}: {error}; the trace holds what was written before\n");
    }
    if ended.profiled == 0 {
        let why = if let Some(obstacle) = &ended.obstacle {
            obstacle.as_str()
        } else if ended.arrived {
            "only launchers ran; what they started is no Python program, or it lost its environment"
        } else {
            "the program did not load the profiler's library (did something clear its environment?)"
        };
        words += &format!("prof: nothing was profiled: {why}\n");
    }
    // Nobody is told when standard error is closed.
    let mut out = io::stderr().lock();
    let _ = out.write_all(words.as_bytes());
    let wants_report = *left == Left::Report;
    if args.quiet && !wants_report {
        return;
    }
    if let Some(output) = output {
        let _ = writeln!(out, "prof: what the program wrote is in {}", shown(output));
    }
    if let Some(remark) = remark {
        let _ = writeln!(out, "prof: {remark}");
    }
    if ended.unsampled > 0 {
        let _ = writeln!(
            out,
            "prof: CPU time was not sampled in {} of the processes: all real-time signals had handlers at their start",
            ended.unsampled
        );
    }
    let summary = if ended.profiled == 0 {
        Vec::new()
    } else {
        summary(trace, wants_report).unwrap_or_default()
    };
    let _ = match summary.is_empty() {
        true => writeln!(out, "prof: the trace is {name}"),
        false => out.write_all(&summary),
    };
}

/// The summary of a trace, or all of its report; `None` if it cannot be read back.
fn summary(trace: &Path, whole: bool) -> Option<Vec<u8>> {
    let bytes = profformat::map::open(trace).ok()?;
    let profile = Profile::from_bytes_with(&bytes, &Filter::new(), Survey::default(), |offset| {
        bytes.release_before(offset)
    })
    .ok()?;
    let files = Files::of(&profile);
    let mut page = Vec::new();
    let path = trace.to_string_lossy();
    if whole {
        text::write(&profile, &summary_options(), &files, &mut page).ok()?;
        return Some(page);
    }
    text::summary(&profile, &summary_options(), &files, &path, &mut page).ok()?;
    Some(page)
}
