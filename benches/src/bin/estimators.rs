//! Bias and spread of ways to sample by bytes: the one that we ship, and others, over streams that are hard on one or
//! the other. Prints a table; takes half a minute as a release.

use benches::random::Random;
use benches::sampling::{ALL, Stream, streams};
use clap::Parser;

/// Bias and spread of sampling by bytes.
#[derive(Parser)]
struct Arguments {
    /// Bytes that a sample stands for
    #[arg(long, default_value_t = 128 * 1024, value_parser = clap::value_parser!(u32).range(2..))]
    interval: u32,
    /// Runs of each stream, with other random numbers
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(2..))]
    runs: u32,
}

/// Errors over many runs, relative to the truth.
#[derive(Default)]
struct Errors(Vec<f64>);

impl Errors {
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// Standard deviation of one run.
    fn spread(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|error| (error - mean).powi(2)).sum();
        (squares / (self.0.len() - 1) as f64).sqrt()
    }

    /// Bias with its standard error, and the spread, all in percent.
    fn cell(&self) -> String {
        let sure = self.spread() / (self.0.len() as f64).sqrt();
        // More than the runs explain: marked.
        let biased = self.mean().abs() > 0.0005 + 4.0 * sure;
        let mark = if biased { "**" } else { "" };
        let [mean, sure, spread] =
            [self.mean(), sure, self.spread()].map(|value| format!("{:.2}", 100.0 * value));
        format!("{mark}{mean} ± {sure}{mark} / {spread}")
    }
}

fn main() {
    let arguments = Arguments::parse();
    println!(
        "Interval {} bytes, {} runs; percent of the truth: bias ± its standard error / spread of a run",
        arguments.interval, arguments.runs
    );
    println!();
    let names = ALL.map(|(name, _)| name).join(" | ");
    println!("| stream | what | samples | {names} |");
    println!("|---|---|--:|{}", "--:|".repeat(ALL.len()));
    for stream in streams() {
        let (mut site, mut sum, mut samples) = (Vec::new(), Vec::new(), 0.0);
        for estimator in 0..ALL.len() {
            let errors = measure(stream, estimator, &arguments);
            site.push(errors.site.cell());
            sum.push(errors.sum.cell());
            samples = errors.samples;
        }
        println!("| {stream} | site | {samples:.0} | {} |", site.join(" | "));
        println!("| | sum | | {} |", sum.join(" | "));
    }
}

struct Measured {
    site: Errors,
    /// Of all sites together.
    sum: Errors,
    /// Bytes of the site in intervals.
    samples: f64,
}

fn measure(stream: Stream, estimator: usize, arguments: &Arguments) -> Measured {
    let (_, make) = ALL[estimator];
    let mut measured = Measured { site: Errors::default(), sum: Errors::default(), samples: 0.0 };
    for run in 0..u64::from(arguments.runs) {
        let seed = |thread: usize| (run << 8 | thread as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut threads: Vec<_> = (0..stream.threads())
            .map(|thread| make(u64::from(arguments.interval), seed(thread)))
            .collect();
        let (mut weight, mut truth) = ([0.0; 2], [0.0; 2]);
        stream.play(&mut Random::new(run), |thread, asked, size| {
            weight[usize::from(asked)] += threads[thread].take(size);
            truth[usize::from(asked)] += size as f64;
        });
        measured.site.0.push(weight[1] / truth[1] - 1.0);
        measured.sum.0.push((weight[0] + weight[1]) / (truth[0] + truth[1]) - 1.0);
        measured.samples = truth[1] / f64::from(arguments.interval);
    }
    measured
}
