//! What the part of chapter 04 must do.
