//! A budget for what a function allocates, to be copied into a test.
//!
//! ```sh
//! cargo run -p profcore --example alloc_budget
//! ```

use profcore::embed::SampledAlloc;
use profcore::embed::test::{Measured, measure};
use std::error::Error;

#[global_allocator]
static ALLOC: SampledAlloc = SampledAlloc::system();

/// Words of a text in upper case, with spaces between.
fn shout(text: &str) -> String {
    let mut shouted = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !shouted.is_empty() {
            shouted.push(' ');
        }
        shouted.extend(word.chars().map(|letter| letter.to_ascii_uppercase()));
    }
    shouted
}

/// One block as long as the text, and nothing beside it.
fn stays_in_its_budget() -> Result<Measured, Box<dyn Error>> {
    let text = "what a  function allocates is  part of what it promises";
    let (shouted, measured) = measure(|| shout(text))?;
    assert_eq!(shouted, "WHAT A FUNCTION ALLOCATES IS PART OF WHAT IT PROMISES");
    assert!(measured.allocated <= text.len() as u64, "{measured}");
    assert_eq!(measured.allocations, 1, "{measured}");
    assert_eq!(measured.peak, measured.allocated, "{measured}");
    Ok(measured)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", stays_in_its_budget()?);
    Ok(())
}

#[test]
fn shouting_allocates_once() {
    stays_in_its_budget().unwrap();
}
