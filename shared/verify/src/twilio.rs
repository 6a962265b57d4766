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
            let message =
                [address.origin.as_bytes(), port.as_bytes(), address.rest.as_bytes(), &fields.joined].concat();
            let secret = self.keys.iter().position(|key| hmac::sign(key, &message).as_ref().ct_eq(&signature).into());
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
}

/// The decoded names and values of a form, each pair once, sorted and joined without anything between them.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) joined: Vec<u8>,
}

/// Where a pair stands among the decoded bytes.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The name's first bytes as a number of the same order: most names differ there already.
    prefix: u64,
    name_at: usize,
    value_at: Option<usize>,
    end: usize,
}

impl Fields {
    pub(crate) fn of_form(body: &[u8]) -> Self {
        let (decoded, mut places) = decode(body);
        let pair = |place: &Place| {
            let value_at = place.value_at.unwrap_or(place.end);
            let name = decoded.get(place.name_at..value_at).unwrap_or_default();
            (name, decoded.get(value_at..place.end).unwrap_or_default())
        };
        for place in &mut places {
            place.prefix = prefix(pair(place).0);
        }
        places.sort_unstable_by(|one, other| one.prefix.cmp(&other.prefix).then_with(|| pair(one).cmp(&pair(other))));
        places.dedup_by(|one, other| one.prefix == other.prefix && pair(one) == pair(other));

        let mut joined = Vec::with_capacity(decoded.len());
        for place in &places {
            joined.extend_from_slice(decoded.get(place.name_at..place.end).unwrap_or_default());
        }
        Self { joined }
    }
}

/// As browsers read forms: `+` is a space, and a `%` that no two hex digits follow is itself. One pass, because the bytes of a form are
/// as many as those that are hashed.
fn decode(body: &[u8]) -> (Vec<u8>, Vec<Place>) {
    let mut decoded = Vec::with_capacity(body.len());
    let mut places = Vec::with_capacity(32);
    let mut place = Place::default();
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'&' | b'=' | b'%' | b'+')) {
        let (before, special) = rest.split_at(at);
        decoded.extend_from_slice(before);
        rest = special.get(1..).unwrap_or_default();
        match special {
            [b'&', ..] => {
                place.end = decoded.len();
                places.push(place);
                place = Place { name_at: decoded.len(), ..Place::default() };
            }
            [b'=', ..] if place.value_at.is_none() => place.value_at = Some(decoded.len()),
            [b'%', high, low, after @ ..] => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            [b'+', ..] => decoded.push(b' '),
            [other, ..] => decoded.push(*other),
            [] => {}
        }
    }
    decoded.extend_from_slice(rest);
    place.end = decoded.len();
    places.push(place);
    (decoded, places)
}

fn prefix(name: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(first)
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
