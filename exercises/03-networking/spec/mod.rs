//! What the part of chapter 03 must do.
