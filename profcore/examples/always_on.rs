//! A server that is profiled all the time, and asked for it by HTTP, as Go's are:
//!
//!     cargo run --release -p profcore --example always_on
//!     go tool pprof -top http://127.0.0.1:PORT/debug/pprof/profile?seconds=5
//!     go tool pprof -top http://127.0.0.1:PORT/debug/pprof/heap

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use profcore::embed::{Config, Profiler, SampledAlloc};
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
    let mut body = Vec::new();
    let written = profiler.snapshot(last).write_pprof(&mut body);
    sent(written, body)
}

fn heap_profile(profiler: &Profiler) -> Response {
    let mut body = Vec::new();
    let written = profiler.snapshot(Duration::MAX).write_heap_pprof(&mut body);
    sent(written, body)
}

fn sent(written: std::io::Result<()>, body: Vec<u8>) -> Response {
    match written {
        Ok(()) => ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Somebody who has the server work.
fn visitors() {
    let mut kept = Vec::new();
    loop {
        let _region = region!("visit");
        // Each time anew: a compiler that sees the number does it once for all.
        kept.push(vec![hot_function(black_box(1 << 20)); 100]);
        kept.truncate(1000);
    }
}

#[inline(never)]
fn hot_function(rounds: u64) -> u64 {
    let (mut sum, mut number) = (1, 0);
    while number < rounds {
        sum = (sum * 31 + number) % 65_521;
        number += 1;
    }
    sum
}
