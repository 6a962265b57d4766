//! Twilio's signature: HMAC-SHA1 of the address as the sender sees it and the sorted form fields. The address counts to the last byte.

use std::borrow::Cow;

use ring::{digest, hmac};
use subtle::ConstantTimeEq;

use crate::{Arrival, Problem, Refusal, Settings, Verified, encoding::Encoding, headers, scheme::TWILIO_HEADERS};

/// The query parameter with the digest of a body that is no form. *Source*: Twilio, "Webhooks security".
pub(crate) const BODY_DIGEST_PARAMETER: &str = "bodySHA256";

/// An address and its tokens.
pub(crate) struct Twilio {
    keys: Vec<hmac::Key>,
    url: Option<String>,
}

impl Twilio {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Problem> {
        let secrets = settings.shared_secrets()?;
        if settings.url.as_deref().is_some_and(|url| Address::parse(url).is_none()) {
            return Err(Problem::of("url", "The address must begin with https:// or http:// and name a host."));
        }
        let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        Ok(Self { keys: secrets.iter().map(key).collect(), url: settings.url.clone() })
    }

    pub(crate) fn verify(&self, arrival: &Arrival<'_>) -> Result<Verified, Refusal> {
        let [header] = &TWILIO_HEADERS;
        let signature = Encoding::Base64
            .decode_exactly::<20>(headers::one(arrival.headers, header)?)
            .ok_or_else(|| Refusal::malformed(header, "its signature is not padded base64 of 20 bytes"))?;
        let url = public_url(self.url.as_deref(), arrival.url);
        let address = Address::parse(&url).ok_or(Refusal::WrongSignature)?;
        let fields = signed_fields(arrival, address.rest)?;

        for port in address.ports() {
            let secret = self.keys.iter().position(|key| {
                let mut context = hmac::Context::with_key(key);
                address.feed(port, |piece| context.update(piece));
                fields.feed(|piece| context.update(piece));
                context.sign().as_ref().ct_eq(&signature).into()
            });
            if secret.is_some() {
                return Ok(Verified { id: None, timestamp: None, secret });
            }
        }
        Err(Refusal::WrongSignature)
    }
}

/// The address as the sender sees it: the hook's setting, with the query that came.
pub(crate) fn public_url<'a>(setting: Option<&'a str>, came: &'a str) -> Cow<'a, str> {
    let query = came.split_once('?').map(|(_, query)| query);
    match (setting, query) {
        (None, _) => Cow::Borrowed(came),
        (Some(url), Some(query)) if !url.contains('?') => Cow::Owned(format!("{url}?{query}")),
        (Some(url), _) => Cow::Borrowed(url),
    }
}

/// An address around its port, because Twilio signs some with the default port and some without.
struct Address<'a> {
    origin: &'a str,
    port: &'a str,
    default_port: &'static str,
    rest: &'a str,
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (default_port, host_at) = if url.starts_with("https://") {
            (":443", "https://".len())
        } else if url.starts_with("http://") {
            (":80", "http://".len())
        } else {
            return None;
        };
        let host_end = url.get(host_at..)?.find(['/', '?', '#']).map_or(url.len(), |length| host_at + length);
        let (before, rest) = url.split_at_checked(host_end)?;
        let port_bytes = match before.get(host_at..)?.rsplit_once(':') {
            Some((_, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.len() + 1
            }
            Some(_) | None => 0,
        };
        let (origin, port) = before.split_at_checked(before.len() - port_bytes)?;
        (origin.len() > host_at).then_some(Self { origin, port, default_port, rest })
    }

    /// As it came first; then without its port, or with the default one.
    fn ports(&self) -> [&'a str; 2] {
        if self.port.is_empty() { ["", self.default_port] } else { [self.port, ""] }
    }

    fn feed(&self, port: &str, mut take: impl FnMut(&[u8])) {
        take(self.origin.as_bytes());
        take(port.as_bytes());
        take(self.rest.as_bytes());
    }
}

/// The decoded names and values of a form, each once, sorted; no more than two buffers.
#[derive(Default)]
pub(crate) struct Fields {
    decoded: Vec<u8>,
    /// Where a name begins, its value begins, and its value ends.
    places: Vec<(usize, usize, usize)>,
}

impl Fields {
    pub(crate) fn of_form(body: &[u8]) -> Self {
        let mut fields = Self { decoded: Vec::with_capacity(body.len()), places: Vec::with_capacity(32) };
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name_at = fields.decoded.len();
            fields.decode(halves.next().unwrap_or_default());
            let value_at = fields.decoded.len();
            fields.decode(halves.next().unwrap_or_default());
            fields.places.push((name_at, value_at, fields.decoded.len()));
        }
        let decoded = std::mem::take(&mut fields.decoded);
        let pair = |place: &(usize, usize, usize)| {
            (decoded.get(place.0..place.1).unwrap_or_default(), decoded.get(place.1..place.2).unwrap_or_default())
        };
        fields.places.sort_unstable_by(|one, other| pair(one).cmp(&pair(other)));
        fields.places.dedup_by(|one, other| pair(one) == pair(other));
        fields.decoded = decoded;
        fields
    }

    /// As browsers read forms: `+` is a space, and a `%` that no two hex digits follow is itself.
    fn decode(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'%' | b'+')) {
            let (before, special) = rest.split_at(at);
            self.decoded.extend_from_slice(before);
            let (byte, after) = match special {
                [b'%', high, low, after @ ..] => match (hex_digit(*high), hex_digit(*low)) {
                    (Some(high), Some(low)) => (high << 4 | low, after),
                    _ => (b'%', special.get(1..).unwrap_or_default()),
                },
                [b'+', after @ ..] => (b' ', after),
                _ => (b'%', special.get(1..).unwrap_or_default()),
            };
            self.decoded.push(byte);
            rest = after;
        }
        self.decoded.extend_from_slice(rest);
    }

    pub(crate) fn feed(&self, mut take: impl FnMut(&[u8])) {
        for (name_at, _, value_end) in &self.places {
            take(self.decoded.get(*name_at..*value_end).unwrap_or_default());
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A form is signed field by field; any other body by a digest in the query, which the signature covers.
fn signed_fields(arrival: &Arrival<'_>, rest: &str) -> Result<Fields, Refusal> {
    if headers::is_form(arrival.headers) {
        return Ok(Fields::of_form(arrival.body));
    }
    let query = rest.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let expected = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == BODY_DIGEST_PARAMETER);
    match expected {
        Some((_, hex_digest)) => {
            let expected = Encoding::Hex.decode_exactly::<32>(&hex_digest).unwrap_or_default();
            let found = digest::digest(&digest::SHA256, arrival.body);
            let is_same: bool = found.as_ref().ct_eq(&expected).into();
            if is_same { Ok(Fields::default()) } else { Err(Refusal::WrongSignature) }
        }
        None if arrival.body.is_empty() => Ok(Fields::default()),
        None => Err(Refusal::BodyNotSigned),
    }
}
