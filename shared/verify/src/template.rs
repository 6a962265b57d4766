//! Which bytes a signature covers, as `v0:{timestamp}:{body}`; fed piece by piece, so that the body is never copied.

/// Text and places; `{body}` is in it exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Id,
    Timestamp,
    Body,
}

/// What stands in the places.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) id: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) body: &'a [u8],
}

impl Template {
    /// *Errors*: a sentence; an unknown place, or not exactly one body.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (place, after) = after.split_once('}').ok_or("`signed` has a `{` without its `}`.")?;
            pieces.push(match place {
                "id" => Piece::Id,
                "timestamp" => Piece::Timestamp,
                "body" => Piece::Body,
                other => return Err(format!("`signed` knows {{id}}, {{timestamp}} and {{body}}, not {{{other}}}.")),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let template = Self { pieces };
        match template.pieces.iter().filter(|piece| **piece == Piece::Body).count() {
            1 => Ok(template),
            _ => Err("`signed` must hold {body} exactly once.".to_owned()),
        }
    }

    pub(crate) fn has_id(&self) -> bool {
        self.pieces.contains(&Piece::Id)
    }

    pub(crate) fn has_timestamp(&self) -> bool {
        self.pieces.contains(&Piece::Timestamp)
    }

    /// The signed bytes, in order.
    pub(crate) fn fill<'a>(&'a self, parts: Parts<'a>) -> impl Iterator<Item = &'a [u8]> {
        self.pieces.iter().map(move |piece| match piece {
            Piece::Text(text) => text.as_bytes(),
            Piece::Id => parts.id.as_bytes(),
            Piece::Timestamp => parts.timestamp.as_bytes(),
            Piece::Body => parts.body,
        })
    }
}
