//! A word about a trace that is not whole, beside whatever else is said of it.

use std::path::Path;

use profformat::analysis::Profile;
use profformat::export::escape::escape;

use crate::words::complain;

/// Warns on standard error, in one line, if something of the trace could not be read.
pub(crate) fn warn(trace: &Path, profile: &Profile) {
    let damage = &profile.damage;
    if damage.is_sound() {
        return;
    }
    let path = escape(trace.as_os_str().as_encoded_bytes());
    let until = profile.elapsed.as_secs_f64();
    if damage.complete {
        complain(format_args!("{path} is damaged and parts are missing: `prof check` tells which"));
    } else {
        complain(format_args!(
            "{path} was cut off, or its profiler was stopped: what is here ends at {until:.1} s \
             (see `prof check`)"
        ));
    }
}
