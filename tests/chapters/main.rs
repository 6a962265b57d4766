//! The behaviour of Hookwright, chapter by chapter.

mod tutorial;

mod actions;
mod audit;
mod balance;
mod dead_letters;
mod degraded;
mod doctor;
mod explainer;
mod flow;
mod form_hooks;
mod guard;
mod limits;
mod mail;
mod mail_sending;
mod management;
mod org;
mod outbound;
mod outbox;
mod providers;
mod record_api;
mod record_events;
mod records;
mod replay;
mod rest;
mod runs;
mod searching;
mod settings;
mod uploads;
mod webhooks;
mod workflows;

mod apps;
mod authorization;
mod canaries;
mod enumeration;
mod hostile;

mod house;
mod lambda;
