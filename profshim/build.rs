//! Links the shim so that it loads wherever a program loads: see `next.rs` for what `--wrap` redirects.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["dlsym", "dlerror"] {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--wrap={name}");
    }
}
