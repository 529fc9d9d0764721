//! What the part of chapter 05 must do.
