//! The behaviour of Hookwright, chapter by chapter.

mod tutorial;

mod form_hooks;
mod workflows;
mod runs;
mod records;
mod management;

mod house;
