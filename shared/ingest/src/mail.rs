//! Mails, read for the data in their HTML.

mod block;
mod microdata;
mod scripts;
