//! Links the shim so that it loads wherever a program loads: see `next.rs` for what `--wrap` redirects.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // What the compiler makes calls of `memcpy` from must not run the program's own, which may not be ready for it.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    for name in ["dlsym", "dlerror", "dladdr", "dlvsym"] {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--wrap={name}");
    }
}
