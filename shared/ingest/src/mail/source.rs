//! Where the data of a mail came from.

/// Where the data of a mail was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In script tags of the HTML.
    Html,
    /// In a MIME part that is JSON itself.
    MimePart,
    /// In the mail that is attached as this part (`2`).
    AttachedMail(String),
    /// In the microdata of the HTML.
    Microdata,
}

impl Source {
    /// The word for documents: `html`, `mime-part`, `message/rfc822:2`, `microdata`.
    pub fn word(&self) -> String {
        match self {
            Self::Html => "html".to_owned(),
            Self::MimePart => "mime-part".to_owned(),
            Self::AttachedMail(part) => format!("message/rfc822:{part}"),
            Self::Microdata => "microdata".to_owned(),
        }
    }
}
