//! The built-in apps as data.
