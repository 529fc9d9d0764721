//! What the part of chapter 07 must do.
