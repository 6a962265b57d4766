//! Ranges of versions of an app, as dependencies and `appVersion` write them: `kustomer-^1.5.0`.

use semver::{Version, VersionReq};

/// An app and the versions of it that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRange {
    /// The app.
    pub app: String,
    /// The versions.
    pub range: VersionReq,
    /// Both as they were written.
    pub text: String,
}

impl AppRange {
    /// Reads `kustomer-^1.5.0`: a name, a dash, and a range; `None` where it is none.
    pub fn parse(text: &str) -> Option<AppRange> {
        let (app, range) = text.split_once('-')?;
        let range = VersionReq::parse(range).ok().filter(|_| !app.is_empty())?;
        Some(AppRange { app: app.to_owned(), range, text: text.to_owned() })
    }

    /// Whether `version` will do.
    pub fn takes(&self, version: &Version) -> bool {
        self.range.matches(version)
    }

    /// Whether some version `major.x.y` will do.
    pub fn takes_some_of(&self, major: u64) -> bool {
        let named = self.range.comparators.iter().map(|comparator| {
            Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
        });
        let around = named.flat_map(|version| {
            let next = Version::new(version.major, version.minor, version.patch.saturating_add(1));
            [version, next]
        });
        let ends = [Version::new(major, 0, 0), Version::new(major, u64::MAX, u64::MAX)];
        around.chain(ends).any(|version| version.major == major && self.takes(&version))
    }
}

#[cfg(test)]
mod tests {
    use super::AppRange;

    #[test]
    fn a_range_names_an_app_and_takes_versions() {
        for (text, takes_some) in [
            ("kustomer-^1.5.0", true),
            ("kustomer-~1.4.11", true),
            ("kustomer-1.9.2", true),
            ("kustomer-=1.9.2", true),
            ("kustomer->1.9.2", true),
            ("kustomer->=1.0.0, <2.0.0", true),
            ("kustomer-*", true),
            ("kustomer-<1.0.0", false),
            ("kustomer-^2.0.0", false),
            ("kustomer->=2", false),
            ("kustomer-^0.9.0", false),
        ] {
            assert_eq!(AppRange::parse(text).map(|range| range.takes_some_of(1)), Some(takes_some), "{text}");
        }
        for text in ["kustomer", "kustomer-", "-^1.0.0", "", "kustomer-new", "kustomer 1.0.0"] {
            assert_eq!(AppRange::parse(text), None, "{text}");
        }
    }
}
