//! The smallest guest that says something.

fn main() {
    println!("Hello from WebAssembly");
}
