//! Whatever a writer is told, it refuses what is wrong, and what it takes comes back.
#![no_main]

use fuzz::model::Model;
use fuzz::plan::Plan;

libfuzzer_sys::fuzz_target!(|plan: Plan| Model::run(&plan));
