//! The verbs of a noun, as clap knows them.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, value_parser};

use super::{
    Table,
    draft::custom,
    nouns::{Flag, Lists, Takes},
};
use crate::paging::Paging;

pub(super) const RECORD: &str = "record";
pub(super) const OTHER: &str = "other";
pub(super) const KLASS: &str = "klass";
pub(super) const FILE: &str = "file";
pub(super) const CUSTOM: &str = "custom";
pub(super) const CLEAR: &str = "clear";
pub(super) const REV: &str = "rev";
pub(super) const RELATIONSHIP: &str = "relationship";
pub(super) const KIND: &str = "type";

/// What can be done with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Ls,
    Show,
    Update,
    Rm,
    Merge,
    Timeline,
    Instances,
    Relate,
}

impl Verb {
    /// The verb of the noun that is called `name`.
    pub(super) fn of(table: &Table, name: &str) -> Option<Self> {
        table.verbs.iter().copied().find(|verb| verb.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Ls => "ls",
            Self::Show => "show",
            Self::Update => "update",
            Self::Rm => "rm",
            Self::Merge => "merge",
            Self::Timeline => "timeline",
            Self::Instances => "instances",
            Self::Relate => "relate",
        }
    }

    fn command(self, table: &'static Table) -> Command {
        let command = Command::new(self.name()).after_help(self.examples(table));
        let command = if table.is_of_klass() { command.arg(klass()) } else { command };
        let Table { plural, singular, one, .. } = table;
        // The flags of a page bring a sentence of their own along, so what the verb does is said last.
        match self {
            Self::Create => with_draft(command.about(format!("Create {one}")), table),
            Self::Ls => {
                let of =
                    if table.is_of_klass() { " of a klass: a customer's, or those that belong to none" } else { "" };
                let about = format!("List {plural}{of}, newest first");
                Paging::augment_args(with_filters(command.visible_alias("list"), table)).about(about)
            }
            Self::Show => command.about(format!("Show {one}")).arg(record(table)),
            Self::Update => {
                let about = format!("Change {one}; what is not named stays");
                with_changes(with_draft(command.about(about).arg(record(table)), table))
            }
            Self::Rm => {
                let about = format!("Delete {one}; what belongs to it stays readable");
                command.about(about).visible_alias("delete").arg(record(table))
            }
            Self::Merge => {
                let other =
                    Arg::new(OTHER).required(true).value_name(table.named).help(format!("The other {singular}"));
                let about =
                    "Merge another customer into this one, whatever that one was found by and has on its timeline";
                command.about(about).arg(record(table)).arg(other)
            }
            Self::Timeline => Paging::augment_args(command.arg(record(table)))
                .about(format!("List what belongs to {one}, newest first")),
            Self::Instances => {
                let about = format!("List {one}'s instances of a klass, newest first");
                Paging::augment_args(command.arg(record(table)).arg(klass())).about(about)
            }
            Self::Relate => {
                let about = format!("Relate {one} to another record by a name, in the place of the one before");
                let name = Arg::new(RELATIONSHIP).required(true).value_name("RELATIONSHIP").help("What it is called");
                let other =
                    Arg::new(OTHER).value_name("ID").help("The other record's id").required_unless_present(CLEAR);
                let kind = Arg::new(KIND).long("type").value_name("TYPE").help(
                    "What it leads to: customer, conversation, message, note, company, user, tag or kobject.KLASS; \
                     without it the name says so",
                );
                let clear = Arg::new(CLEAR).long(CLEAR).action(ArgAction::SetTrue).conflicts_with(OTHER);
                let clear = clear.help("Take the relationship away");
                command.about(about).arg(record(table)).arg(name).arg(other).arg(kind).arg(clear)
            }
        }
    }

    /// What the help of the verb shows.
    fn examples(self, table: &Table) -> String {
        let Table { plural, example, .. } = table;
        let klass = if table.is_of_klass() { " order" } else { "" };
        let named = format!("hookwright {plural} {}{klass} {}", self.name(), example.record);
        let lines = match self {
            Self::Create => vec![
                format!("hookwright {plural} create{klass} {}", example.flags),
                format!("hookwright {plural} create{klass} {}.json", table.singular),
            ],
            Self::Ls => vec![format!("hookwright {plural} ls{klass}{} --page-size 100", example.filter)],
            Self::Show | Self::Rm => vec![named],
            Self::Update => vec![
                format!("{named} {}", example.change),
                format!(
                    "{named} --rev 3 --custom tierStr=    (clears it, unless somebody has changed the record since)"
                ),
            ],
            Self::Merge => vec![format!("{named} phone:+15550100")],
            Self::Timeline => vec![named],
            Self::Instances => vec![format!("{named} order")],
            Self::Relate => vec![
                format!("{named} payer 5a345109e578360010eaa002 --type customer"),
                format!("{named} payer --clear"),
            ],
        };
        format!("Examples:\n  {}", lines.join("\n  "))
    }
}

/// The noun's command with its verbs.
pub(super) fn augment(command: Command, table: &'static Table) -> Command {
    let examples = [Verb::Create, Verb::Show].map(|verb| verb.examples(table));
    let lines = examples.iter().flat_map(|examples| examples.lines().skip(1).take(1));
    let examples = format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"));
    let verbs = table.verbs.iter().map(|verb| verb.command(table));
    command.subcommand_required(true).arg_required_else_help(true).after_help(examples).subcommands(verbs)
}

/// What was given for an argument that has to be given.
pub(super) fn text<'m>(matches: &'m ArgMatches, name: &str) -> &'m str {
    matches.try_get_one::<String>(name).ok().flatten().map_or("", String::as_str)
}

fn record(table: &Table) -> Arg {
    let help = format!("The {}: its id, or what it is found by", table.singular);
    Arg::new(RECORD).required(true).value_name(table.named).help(help)
}

fn klass() -> Arg {
    Arg::new(KLASS).required(true).value_name("KLASS").help("The klass's name")
}

/// The document, or a flag for each of the usual attributes.
fn with_draft(command: Command, table: &'static Table) -> Command {
    let flags = table.flags.iter().map(|flag| flag.attribute).chain([CUSTOM]);
    let file = Arg::new(FILE)
        .help("A document with more than the flags can say, or - for standard input")
        .required_unless_present_any(flags);
    let custom = Arg::new(CUSTOM)
        .long("custom")
        .value_name("NAME=VALUE")
        .action(ArgAction::Append)
        .value_parser(custom)
        .help("A custom attribute; may be repeated. An empty value clears it");
    command.arg(file).args(table.flags.iter().map(flag)).arg(custom)
}

fn with_changes(command: Command) -> Command {
    let clear = Arg::new(CLEAR)
        .long("clear")
        .value_name("ATTRIBUTE")
        .action(ArgAction::Append)
        .help("An attribute, by its name in the API, to take away; may be repeated");
    let rev = Arg::new(REV)
        .long("rev")
        .value_name("N")
        .value_parser(value_parser!(u64))
        .help("Only if nobody has changed it since it had this `rev`");
    command.arg(clear).arg(rev).mut_arg(FILE, |file| file.required_unless_present(CLEAR))
}

fn with_filters(command: Command, table: &'static Table) -> Command {
    let related = |name: &'static str, of: &str| {
        Arg::new(name).long(name).value_name("ID|KEY").help(format!("The {name} whose {of} are listed"))
    };
    let customer = related("customer", table.plural);
    match table.lists {
        Lists::All => command,
        Lists::OfCustomer => command.arg(customer.required(true)),
        Lists::OfConversation => {
            command.arg(customer.required_unless_present("conversation")).arg(related("conversation", table.plural))
        }
        Lists::OfKlass => command.arg(customer),
    }
}

fn flag(flag: &'static Flag) -> Arg {
    let arg = Arg::new(flag.attribute).long(flag.name).help(flag.help);
    match flag.takes {
        Takes::Text => arg.value_name("TEXT"),
        Takes::Texts => arg.value_name("TEXT").action(ArgAction::Append),
        Takes::Json => arg.value_name("JSON|FILE"),
        Takes::Record(table) => arg.value_name(table.named),
    }
}
