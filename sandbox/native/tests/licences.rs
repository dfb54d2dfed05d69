//! What `cargo deny` would check, without its advisory database: licences compatible with Apache-2.0, crates.io only.
#![allow(clippy::pedantic, reason = "tests cast and repeat freely")]

use serde_json::Value;
use std::process::Command;

const ACCEPTED: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "0BSD",
];

/// Whether an SPDX expression can be met: one side of OR, both of AND; parentheses only around such lists.
fn acceptable(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    expression.split(" AND ").all(|all| all.split(" OR ").any(|one| ACCEPTED.contains(&one.trim())))
}

#[test]
fn every_dependency_has_an_acceptable_licence_and_comes_from_crates_io() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut bad = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, source) = (&package["name"], &package["source"]);
        if name == "atoll-engine" {
            continue;
        }
        if source != "registry+https://github.com/rust-lang/crates.io-index" {
            bad.push(format!("{name} comes from {source}"));
        }
        if !acceptable(package["license"].as_str().unwrap_or("no licence")) {
            bad.push(format!("{name} has licence {}", package["license"]));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
