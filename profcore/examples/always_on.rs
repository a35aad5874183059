//! A server that is profiled all the time, and asked for it by HTTP, as Go's are:
//!
//!     cargo run --release -p profcore --example always_on
//!     go tool pprof -top http://127.0.0.1:PORT/debug/pprof/profile?seconds=5
//!     go tool pprof -top http://127.0.0.1:PORT/debug/pprof/heap

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use profcore::embed::{Config, Profiler, SampledAlloc, Snapshot};
use profcore::region;

#[global_allocator]
static ALLOC: SampledAlloc = SampledAlloc::system();

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let config = Config::from_env().unwrap_or_else(|error| {
        eprintln!("{error}");
        Config::new()
    });
    // What cannot be profiled is served all the same.
    let profiler = config.start_or_disabled(|why| eprintln!("not profiled: {why}"));
    let (cpu, heap) = (profiler.clone(), profiler);
    let app = Router::new()
        .route("/", get(|| async { hot_function(1 << 16).to_string() }))
        .route("/debug/pprof/profile", get(move |wanted| profile(cpu, wanted)))
        .route("/debug/pprof/heap", get(|| async move { heap_profile(&heap) }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    std::thread::spawn(visitors);
    axum::serve(listener, app).await
}

/// The next so many seconds, or the last thirty at once.
async fn profile(profiler: Profiler, Query(wanted): Query<HashMap<String, String>>) -> Response {
    let seconds = wanted.get("seconds").and_then(|seconds| seconds.parse().ok());
    let last = match seconds {
        Some(seconds) => {
            let seconds = Duration::from_secs(u64::clamp(seconds, 1, 60));
            tokio::time::sleep(seconds).await;
            seconds
        }
        None => Duration::from_secs(30),
    };
    sent(&profiler.snapshot(last), Snapshot::write_pprof)
}

fn heap_profile(profiler: &Profiler) -> Response {
    sent(&profiler.snapshot(Duration::MAX), Snapshot::write_heap_pprof)
}

fn sent<'a>(
    snapshot: &'a Snapshot,
    write: fn(&'a Snapshot, &mut Vec<u8>) -> std::io::Result<()>,
) -> Response {
    let mut body = Vec::new();
    match write(snapshot, &mut body) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Somebody who has the server work.
fn visitors() {
    let mut kept = Vec::new();
    loop {
        let _region = region!("visit");
        kept.push(vec![hot_function(1 << 20); 100]);
        kept.truncate(1000);
    }
}

#[inline(never)]
fn hot_function(rounds: u64) -> u64 {
    (0..rounds).fold(1, |sum, number| std::hint::black_box(sum ^ number).wrapping_mul(31))
}
