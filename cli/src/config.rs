//! Where the server is and which key opens it: from flags, then the environment, then the files of local mode.
//!
//! The one module of this program that reads the environment. The key that local mode keeps in a file is only ever sent
//! to this machine: an address elsewhere has to be given its key on purpose.

use std::{
    env, fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use http::{HeaderValue, Uri};

use crate::{failure::Failure, output::Format};

const URL_VARIABLE: &str = "HOOKWRIGHT_URL";
const API_KEY_VARIABLE: &str = "HOOKWRIGHT_API_KEY";
const HOOK_KEY_VARIABLE: &str = "HOOKWRIGHT_HOOK_KEY";

/// Where local mode listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8787";
pub(crate) const DEFAULT_STATE_DIR: &str = ".hookwright";

/// Where local mode writes its first key, below the state directory.
pub(crate) const ADMIN_KEY_FILE: &str = "admin.key";

/// Flags that every command takes, before or after its own.
///
/// *Why `state_dir` has this name and type*: local mode has the same flag, and clap gives both to whoever asks by name.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "Where the server is [env: HOOKWRIGHT_URL] [default: http://127.0.0.1:8787]"
    )]
    url: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        help = "The API key [env: HOOKWRIGHT_API_KEY] [default: local mode's own, for a server on this machine]"
    )]
    api_key: Option<String>,
    /// Local mode's directory, which holds its admin key [default: .hookwright]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Print the API's JSON documents instead of tables and sentences
    #[arg(long, global = true)]
    json: bool,
}

impl Global {
    /// What `--url` says.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// How answers are printed.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Human }
    }
}

/// The server and the key.
#[derive(Debug)]
pub(crate) struct Config {
    /// The address, without a slash at its end.
    pub(crate) base_url: String,
    /// Whether that address is this machine.
    pub(crate) place: Place,
    /// The key.
    pub(crate) key: Key,
    /// Where this program keeps what it has to remember.
    pub(crate) state_dir: PathBuf,
}

/// Where a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this machine.
    Here,
    /// Somewhere else.
    Elsewhere,
}

/// An API key, ready to be sent, and where it came from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// By flag or variable.
    Given(HeaderValue),
    /// From local mode's file.
    Found(HeaderValue, PathBuf),
    /// There is none.
    None,
}

impl Config {
    /// The configuration that the flags and the surroundings of this process make.
    ///
    /// *Errors*: an address that is none, or a key that cannot be sent.
    pub(crate) fn load(global: &Global) -> Result<Self, Failure> {
        Self::resolve(global, |name| env::var(name).ok()).map_err(Failure::Usage)
    }

    fn resolve(global: &Global, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let setting =
            |flag: &Option<String>, name: &str| flag.clone().or_else(|| variable(name)).filter(|text| !text.is_empty());
        let url = setting(&global.url, URL_VARIABLE);
        let (base_url, place) = read_url(url.as_deref().unwrap_or(DEFAULT_URL))?;
        let state_dir = global.state_dir.as_deref().unwrap_or(Path::new(DEFAULT_STATE_DIR));
        let key = match (setting(&global.api_key, API_KEY_VARIABLE), place) {
            (Some(token), _) => {
                Key::Given(bearer(&token).ok_or("The API key has characters that no key has. Copy it again.")?)
            }
            (None, Place::Here) => find_key(state_dir),
            (None, Place::Elsewhere) => Key::None,
        };
        Ok(Self { base_url, place, key, state_dir: state_dir.to_owned() })
    }
}

/// The key that webhooks are posted to with, when none was given by flag.
pub(crate) fn hook_key() -> Option<String> {
    env::var(HOOK_KEY_VARIABLE).ok().filter(|key| !key.is_empty())
}

/// The words of this process's command line, without the program.
pub(crate) fn words() -> Vec<String> {
    env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect()
}

fn read_url(text: &str) -> Result<(String, Place), String> {
    let wrong = || {
        format!("`{text}` is no address of a server. It has to look like {DEFAULT_URL} or https://hooks.example.com.")
    };
    let url: Uri = text.parse().map_err(|_| wrong())?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let (true, Some(_), None) = (is_web, url.host(), url.query()) else { return Err(wrong()) };
    Ok((text.trim_end_matches('/').to_owned(), place_of(&url)))
}

/// Whether the address is on this machine.
pub(crate) fn place_of(url: &Uri) -> Place {
    place_of_host(url.host().unwrap_or_default())
}

/// Whether the host is this machine.
pub(crate) fn place_of_host(host: &str) -> Place {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_here = host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    if is_here { Place::Here } else { Place::Elsewhere }
}

/// A file that is missing or cannot be read is no failure: the server says what it thinks of a request without a key.
fn find_key(state_dir: &Path) -> Key {
    let path = state_dir.join(ADMIN_KEY_FILE);
    let token = fs::read_to_string(&path).ok().filter(|token| !token.trim().is_empty());
    match token.and_then(|token| bearer(token.trim())) {
        Some(header) => Key::Found(header, path),
        None => Key::None,
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.trim())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_dir() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(ADMIN_KEY_FILE), "hk_from_file\n").unwrap();
        dir
    }

    fn resolve(url: Option<&str>, api_key: Option<&str>, variables: &[(&str, &str)]) -> Result<Config, String> {
        let dir = state_dir();
        let global = Global {
            url: url.map(str::to_owned),
            api_key: api_key.map(str::to_owned),
            state_dir: Some(dir.path().to_owned()),
            json: false,
        };
        Config::resolve(&global, |name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_flags_and_variables_it_is_local_mode_with_its_own_key() {
        let config = resolve(None, None, &[]).unwrap();
        assert_eq!(config.base_url, "http://127.0.0.1:8787");
        assert!(matches!(config.key, Key::Found(header, _) if header == "Bearer hk_from_file"));
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
        let variables = [(URL_VARIABLE, "http://localhost:1/"), (API_KEY_VARIABLE, "hk_variable")];
        let config = resolve(None, None, &variables).unwrap();
        assert_eq!(
            (config.base_url.as_str(), config.key),
            ("http://localhost:1", Key::Given(bearer("hk_variable").unwrap()))
        );
        let config = resolve(Some("http://localhost:2"), Some("hk_flag"), &variables).unwrap();
        assert_eq!(
            (config.base_url.as_str(), config.key),
            ("http://localhost:2", Key::Given(bearer("hk_flag").unwrap()))
        );
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let config = resolve(None, None, &[(URL_VARIABLE, ""), (API_KEY_VARIABLE, "")]).unwrap();
        assert_eq!(config.base_url, DEFAULT_URL);
        assert!(matches!(config.key, Key::Found(_, _)));
    }

    #[test]
    fn the_key_of_local_mode_is_sent_to_this_machine_only() {
        for here in ["http://127.0.0.1:9", "http://127.9.9.9", "http://[::1]:9", "http://LOCALHOST:9"] {
            assert!(matches!(resolve(Some(here), None, &[]).unwrap().key, Key::Found(_, _)), "{here}");
        }
        for elsewhere in [
            "https://hooks.example.com",
            "http://127.0.0.1@evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
        ] {
            assert_eq!(resolve(Some(elsewhere), None, &[]).unwrap().key, Key::None, "{elsewhere}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_told_with_an_example() {
        for wrong in ["localhost:8787", "ftp://localhost", "not an address", "http://", "http://localhost/?q=1"] {
            let sentence = resolve(Some(wrong), None, &[]).unwrap_err();
            assert!(sentence.contains(wrong) && sentence.contains("https://hooks.example.com"), "{sentence}");
        }
    }

    #[test]
    fn a_key_with_a_line_break_inside_is_not_sent() {
        assert!(resolve(None, Some("hk_a\r\nX-Evil: 1"), &[]).is_err());
    }
}
