//! The report of any trace fits its page, and nothing in it steers a terminal.
#![no_main]

use profformat::analysis::Profile;
use profformat::export::text::{NoSource, Options, Sort, summary, write};
use unicode_width::UnicodeWidthChar;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(profile) = Profile::from_bytes(bytes) else { return };
    let sorts = [Sort::Cpu, Sort::Memory, Sort::Copies, Sort::Leaks, Sort::Churn];
    for (sort, width) in sorts.into_iter().zip([100, 20, 47, 200, 80]) {
        let ascii = width == 47;
        let everything = width == 200;
        let file = (width == 20).then(|| "*a?*".to_owned());
        let options = Options {
            width,
            sort,
            file,
            functions: everything,
            threads: true,
            processes: true,
            all_classes: everything,
            ascii,
            ..Options::default()
        };
        let mut report = Vec::new();
        write(&profile, &options, &NoSource, &mut report).expect("a vector takes everything");
        check(&report, &options);
        report.clear();
        summary(&profile, &options, &NoSource, "x.proftrace", &mut report)
            .expect("a vector takes everything");
        check(&report, &options);
    }
});

fn check(report: &[u8], options: &Options) {
    let report = std::str::from_utf8(report).expect("text");
    assert!(!options.ascii || report.is_ascii());
    for line in report.lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let cells: usize = line.chars().map(|c| c.width().unwrap_or(0)).sum();
        assert!(cells <= options.width, "{cells} of {}: {line:?}", options.width);
    }
}
