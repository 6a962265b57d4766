//! The nouns: for each kind of record what its command can do, and which flags stand for its usual attributes.
//!
//! More than the usual goes through a document. *Source* of the attributes: `domain::record::fields`, which a test holds them
//! against.

use super::Verb;

/// What the command of a noun is made of.
#[derive(Debug)]
pub(crate) struct Table {
    /// The command, which for all but instances is the collection of the API, too.
    pub(super) plural: &'static str,
    /// One of them.
    pub(super) singular: &'static str,
    /// The same with its article.
    pub(super) one: &'static str,
    /// How one is named, for the help.
    pub(super) named: &'static str,
    /// What one is found by, beside its id.
    pub(super) keys: &'static [&'static str],
    /// What can be done.
    pub(super) verbs: &'static [Verb],
    /// Which lists there are.
    pub(super) lists: Lists,
    /// The usual attributes.
    pub(super) flags: &'static [Flag],
    /// The last column of a list: its header and the attribute.
    pub(super) column: (&'static str, &'static str),
    /// What the help shows.
    pub(super) example: Example,
}

/// Which lists of a noun there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// Those that belong to no customer, or all customers.
    All,
    /// Those of a customer.
    OfCustomer,
    /// Those of a customer or a conversation.
    OfConversation,
    /// Those of a klass; with a customer, the customer's.
    OfKlass,
}

/// A flag for an attribute.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) attribute: &'static str,
    pub(super) takes: Takes,
    pub(super) help: &'static str,
}

/// What a flag takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    /// A text, which the server reads as the attribute's type wants it.
    Text,
    /// A text, as often as there are entries of the list.
    Texts,
    /// JSON, or a file with it.
    Json,
    /// A record of another noun, by id or by what it is found by.
    Record(&'static Table),
}

/// Parts of the examples in the help.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) record: &'static str,
    pub(super) flags: &'static str,
    pub(super) change: &'static str,
    /// What a list has to be narrowed by, with a space in front.
    pub(super) filter: &'static str,
}

/// A noun as a type, so that each has a command of its own.
pub(crate) trait Noun {
    /// What its command is made of.
    fn table() -> &'static Table;
}

macro_rules! nouns {
    ($($name:ident = $table:ident),* $(,)?) => {
        $(
            #[doc = concat!("The noun of [`", stringify!($table), "`].")]
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Noun for $name {
                fn table() -> &'static Table {
                    &$table
                }
            }
        )*

        #[cfg(test)]
        const NOUNS: &[&Table] = &[$(&$table),*];
    };
}

nouns! {
    Customers = CUSTOMERS,
    Conversations = CONVERSATIONS,
    Messages = MESSAGES,
    Notes = NOTES,
    Companies = COMPANIES,
    Users = USERS,
    Tags = TAGS,
    Instances = INSTANCES,
}

impl Table {
    /// Whether a record of it is one of a klass, which has to be named.
    pub(super) fn is_of_klass(&self) -> bool {
        self.lists == Lists::OfKlass
    }
}

/// The noun of the records that the relationship `name` leads to.
pub(super) fn related(name: &str) -> &'static Table {
    if name == "conversation" { &CONVERSATIONS } else { &CUSTOMERS }
}

const VERBS: &[Verb] = &[Verb::Create, Verb::Ls, Verb::Show, Verb::Update, Verb::Rm];
const ID: &str = "6a1f2e3d4c5b6a7980a1b2c3";
const BY_EXTERNAL_ID: &[&str] = &["externalId"];

const fn text(name: &'static str, attribute: &'static str, help: &'static str) -> Flag {
    Flag { name, attribute, takes: Takes::Text, help }
}

const fn texts(name: &'static str, attribute: &'static str, help: &'static str) -> Flag {
    Flag { name, attribute, takes: Takes::Texts, help }
}

const fn of(name: &'static str, table: &'static Table, help: &'static str) -> Flag {
    Flag { name, attribute: name, takes: Takes::Record(table), help }
}

const NAME: Flag = text("name", "name", "Its name");
const EXTERNAL_ID: Flag = text("external-id", "externalId", "The id that another system gave it");
const CUSTOMER: Flag = of("customer", &CUSTOMERS, "The customer it belongs to");
const CONVERSATION: Flag = of("conversation", &CONVERSATIONS, "The conversation it is in");
const COMPANY: Flag = of("company", &COMPANIES, "The company it belongs to");
const DIRECTION: Flag = text("direction", "direction", "in or out");
const LISTED_TAGS: Flag = texts("tag", "tags", "A tag; may be repeated. All of them take the place of those there are");

pub(super) static CUSTOMERS: Table = Table {
    plural: "customers",
    singular: "customer",
    one: "a customer",
    named: "ID|EMAIL|KEY",
    keys: &["email", "phone", "externalId", "whatsapp", "facebookId", "instagramId", "smoochId", "twitterId"],
    verbs: &[Verb::Create, Verb::Ls, Verb::Show, Verb::Update, Verb::Rm, Verb::Merge, Verb::Timeline, Verb::Instances],
    lists: Lists::All,
    flags: &[
        text("name", "name", "The customer's name"),
        texts("email", "emails", "An e-mail address; may be repeated. All of them take the place of those there are"),
        texts("phone", "phones", "A phone number; may be repeated. All of them take the place of those there are"),
        EXTERNAL_ID,
        COMPANY,
        LISTED_TAGS,
        text("locale", "locale", "How the customer writes dates and numbers: en_GB"),
        text("time-zone", "timeZone", "Where the customer is: Europe/Berlin"),
    ],
    column: ("E-MAIL", "emails"),
    example: Example {
        record: "ann@example.com",
        flags: "--name 'Ann Example' --email ann@example.com --custom tierStr=gold",
        change: "--name 'Ann Sample'",
        filter: "",
    },
};

pub(super) static CONVERSATIONS: Table = Table {
    plural: "conversations",
    singular: "conversation",
    one: "a conversation",
    named: "ID|KEY",
    keys: BY_EXTERNAL_ID,
    verbs: VERBS,
    lists: Lists::OfCustomer,
    flags: &[
        of("customer", &CUSTOMERS, "The customer it is with"),
        NAME,
        text("status", "status", "open, done or snoozed"),
        text("priority", "priority", "1 to 5"),
        DIRECTION,
        EXTERNAL_ID,
        LISTED_TAGS,
        texts("assigned-user", "assignedUsers", "The id of a user it is assigned to; may be repeated"),
        texts("assigned-team", "assignedTeams", "The id of a team it is assigned to; may be repeated"),
    ],
    column: ("STATUS", "status"),
    example: Example {
        record: ID,
        flags: "--customer ann@example.com --name 'Where is my order?'",
        change: "--status done",
        filter: " --customer ann@example.com",
    },
};

pub(super) static MESSAGES: Table = Table {
    plural: "messages",
    singular: "message",
    one: "a message",
    named: "ID|KEY",
    keys: BY_EXTERNAL_ID,
    verbs: VERBS,
    lists: Lists::OfConversation,
    flags: &[
        CONVERSATION,
        of("customer", &CUSTOMERS, "The customer; without --conversation it opens one"),
        text("body", "body", "What is said"),
        text("subject", "subject", "What it is about"),
        text(
            "channel",
            "channel",
            "email, sms, chat, facebook, twitter-dm, twitter-tweet, voice, instagram or whatsapp",
        ),
        DIRECTION,
        text("app", "app", "The app it came through"),
        text("status", "status", "sent, received or error"),
        text("sent-at", "sentAt", "When it was sent: 2026-11-22T09:30:00Z"),
        EXTERNAL_ID,
    ],
    column: ("CHANNEL", "channel"),
    example: Example {
        record: "externalId:m-1",
        flags: "--customer ann@example.com --channel email --body 'Where is it?'",
        change: "--status received",
        filter: " --conversation 6a1f2e3d4c5b6a7980a1b2c3",
    },
};

pub(super) static NOTES: Table = Table {
    plural: "notes",
    singular: "note",
    one: "a note",
    named: "ID|KEY",
    keys: BY_EXTERNAL_ID,
    verbs: VERBS,
    lists: Lists::OfConversation,
    flags: &[CONVERSATION, CUSTOMER, text("body", "body", "What it says"), EXTERNAL_ID],
    column: ("CUSTOM", "custom"),
    example: Example {
        record: ID,
        flags: "--customer ann@example.com --body 'Called back'",
        change: "--body 'Called back twice'",
        filter: " --customer ann@example.com",
    },
};

pub(super) static COMPANIES: Table = Table {
    plural: "companies",
    singular: "company",
    one: "a company",
    named: "ID|KEY",
    keys: BY_EXTERNAL_ID,
    verbs: VERBS,
    lists: Lists::All,
    flags: &[NAME, texts("domain", "domains", "A domain of its addresses; may be repeated"), EXTERNAL_ID, LISTED_TAGS],
    column: ("DOMAINS", "domains"),
    example: Example {
        record: "externalId:shop-7",
        flags: "--name 'Shop Ltd' --domain shop.example --external-id shop-7",
        change: "--name 'Shop Group'",
        filter: "",
    },
};

pub(super) static USERS: Table = Table {
    plural: "users",
    singular: "user",
    one: "a user",
    named: "ID|EMAIL|KEY",
    keys: &["email", "externalId"],
    verbs: VERBS,
    lists: Lists::All,
    flags: &[
        NAME,
        text("email", "email", "The user's e-mail address"),
        text("display-name", "displayName", "What customers read"),
        EXTERNAL_ID,
        texts("team", "teams", "The id of a team; may be repeated"),
        text("time-zone", "timeZone", "Where the user is: Europe/Berlin"),
    ],
    column: ("E-MAIL", "email"),
    example: Example {
        record: "kim@example.com",
        flags: "--name 'Kim Example' --email kim@example.com",
        change: "--display-name Kim",
        filter: "",
    },
};

pub(super) static TAGS: Table = Table {
    plural: "tags",
    singular: "tag",
    one: "a tag",
    named: "ID",
    keys: &[],
    verbs: VERBS,
    lists: Lists::All,
    flags: &[NAME, text("color", "color", "Its colour"), text("description", "description", "What it is for")],
    column: ("COLOR", "color"),
    example: Example { record: ID, flags: "--name vip --color gold", change: "--color red", filter: "" },
};

pub(super) static INSTANCES: Table = Table {
    plural: "instances",
    singular: "instance",
    one: "an instance",
    named: "ID|KEY",
    keys: BY_EXTERNAL_ID,
    verbs: &[Verb::Create, Verb::Ls, Verb::Show, Verb::Update, Verb::Rm, Verb::Relate],
    lists: Lists::OfKlass,
    flags: &[
        text("title", "title", "Its title"),
        CUSTOMER,
        COMPANY,
        CONVERSATION,
        text("description", "description", "What it is"),
        text("icon", "icon", "The name of its picture"),
        Flag {
            name: "data",
            attribute: "data",
            takes: Takes::Json,
            help: "Data of any shape: JSON, or a file with it",
        },
        EXTERNAL_ID,
        LISTED_TAGS,
    ],
    column: ("CUSTOM", "custom"),
    example: Example {
        record: "externalId:1234",
        flags: "--title 'Order 1234' --customer ann@example.com --external-id 1234 --custom orderIDStr=1234",
        change: "--custom priceStr=12.50",
        filter: "",
    },
};

#[cfg(test)]
mod tests {
    use domain::{RecordKind, record::fields};

    use super::*;

    #[test]
    fn flags_and_columns_are_attributes_or_relationships_that_records_of_the_kind_have() {
        for table in NOUNS {
            let kind = if table.is_of_klass() { "kobject.order" } else { table.singular };
            let kind = RecordKind::try_from(kind.to_owned()).unwrap();
            let collection = if table.is_of_klass() { "klasses/order" } else { table.plural };
            assert_eq!(kind.collection(), collection);
            for flag in table.flags {
                let is_relationship = fields::relationships(&kind).iter().any(|(name, _)| *name == flag.attribute);
                let is_attribute = fields::fields(&kind).iter().any(|(name, _)| *name == flag.attribute);
                assert_eq!(is_relationship, matches!(flag.takes, Takes::Record(_)), "{kind} {}", flag.name);
                assert!(is_relationship || is_attribute, "{kind} {}", flag.name);
            }
            let column = table.column.1;
            assert!(
                column == "custom" || fields::fields(&kind).iter().any(|(name, _)| *name == column),
                "{kind} {column}"
            );
        }
    }
}
