//! The behaviour of Hookwright, chapter by chapter.

mod tutorial;

mod form_hooks;
mod limits;
mod management;
mod records;
mod runs;
mod workflows;

mod house;
mod lambda;
