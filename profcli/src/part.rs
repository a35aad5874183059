//! Which part of a trace a command looks at.

use profformat::analysis::{Profile, Survey};
use profformat::map::Mapped;
use profformat::split::SplitError;
use profformat::units::Timestamp;
use profformat::{Filter, Kind};

use crate::split::moment;

#[derive(clap::Args, Default)]
pub(crate) struct Part {
    /// Only what happened from this moment on: 12.5s, 300ms, 2m, or seconds
    #[arg(long, value_name = "T", value_parser = moment)]
    from: Option<Timestamp>,
    /// Only what happened before this moment
    #[arg(long, value_name = "T", value_parser = moment)]
    until: Option<Timestamp>,
    /// Show the memory that was held at this moment, not at the peak
    #[arg(long, value_name = "T", value_parser = moment)]
    at: Option<Timestamp>,
}

impl Part {
    /// The profile of the part; of events of these kinds only, if any are named; with the times of its samples where
    /// they are asked for.
    pub(crate) fn profile(
        &self,
        bytes: &Mapped,
        kinds: Option<&[Kind]>,
        with_activity: bool,
    ) -> Result<Profile, SplitError> {
        let mut filter = Filter::new();
        if let Some(kinds) = kinds {
            filter = filter.kinds(kinds.iter().copied());
        }
        let behind = |offset| bytes.release_before(offset);
        if (self.from, self.until) == (None, None) {
            let survey = self.at.map_or_else(Survey::default, Survey::at);
            return Ok(match with_activity {
                true => Profile::from_bytes_with_activity(bytes, &filter, survey, behind)?,
                false => Profile::from_bytes_with(bytes, &filter, survey, behind)?,
            });
        }
        if let Some(from) = self.from {
            filter = filter.from(from);
        }
        if let Some(until) = self.until {
            filter = filter.until(until);
        }
        Profile::part_of(bytes, &filter, self.at, with_activity, behind)
    }
}
