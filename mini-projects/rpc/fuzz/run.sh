#!/bin/sh
# Fuzzes with the toolchain of the workbook: ./run.sh [seconds]
#
# `cargo fuzz run fuzz_frames` does the same, and asks for a nightly toolchain
# only to add a sanitizer, which finds nothing in code without `unsafe`. The
# flags below are those that it passes: they make the compiler count branches,
# so that libFuzzer sees which inputs reach new code.
set -eu
cd "$(dirname "$0")"
passes="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
counters="-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
compares="-Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTFLAGS="--cfg fuzzing $passes $counters $compares -Ccodegen-units=1 -Cdebug-assertions"
# With --target the flags do not reach build scripts and macros.
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host"
# New inputs go to target/, not into the corpus of the repository.
mkdir -p target/corpus
"target/$host/release/fuzz_frames" -max_total_time="${1:-60}" -rss_limit_mb=512 \
    -max_len=4096 -artifact_prefix=target/ target/corpus corpus/fuzz_frames
