//! The programs as processes of their own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod call;
mod flash_sale;
mod hello;
mod print;
mod process;
mod queue;
