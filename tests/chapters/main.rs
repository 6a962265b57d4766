//! The behaviour of Hookwright, chapter by chapter.

mod tutorial;

mod actions;
mod doctor;
mod explainer;
mod form_hooks;
mod guard;
mod limits;
mod mail;
mod mail_sending;
mod management;
mod providers;
mod records;
mod runs;
mod settings;
mod uploads;
mod webhooks;
mod workflows;

mod authorization;
mod canaries;
mod enumeration;
mod hostile;

mod house;
mod lambda;
