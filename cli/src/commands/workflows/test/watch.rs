//! Watching a folder: something is done again whenever a file in it is another.
//!
//! *Why polling*: it sees a folder of some hundred files in a millisecond, and works on every file system and in every container.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use crate::failure::Failure;

const POLL_EVERY: Duration = Duration::from_millis(300);

/// How deep folders are looked into.
const DEPTH_LIMIT: usize = 8;

/// Who says when something has changed.
pub(super) trait Changes {
    /// Returns once something has.
    fn wait(&mut self);
}

/// Does `act`, and does it again after each change.
///
/// *Errors*: those of `act`, which end it.
pub(super) fn run(mut act: impl FnMut() -> Result<(), Failure>, mut changes: impl Changes) -> Result<(), Failure> {
    loop {
        act()?;
        changes.wait();
    }
}

/// The files below a folder, by what tells one version of them from another.
pub(super) struct Files {
    path: PathBuf,
    seen: BTreeMap<PathBuf, (Option<SystemTime>, u64)>,
}

impl Files {
    /// Those below `path`, as they are now. Of a file, those that lie beside it and around its folder.
    pub(super) fn below(path: &Path) -> Self {
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        let is_part = folder.file_name().is_some_and(|name| name == "workflows");
        let folder = folder.parent().filter(|_| is_part).unwrap_or(folder);
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut files = Self { path: folder.to_owned(), seen: BTreeMap::new() };
        files.have_changed();
        files
    }

    /// Whether a file is another than the last time, or one came or went.
    fn have_changed(&mut self) -> bool {
        let mut now = BTreeMap::new();
        collect(&self.path, DEPTH_LIMIT, &mut now);
        let have = now != self.seen;
        self.seen = now;
        have
    }
}

impl Changes for Files {
    fn wait(&mut self) {
        while !self.have_changed() {
            thread::sleep(POLL_EVERY);
        }
    }
}

fn collect(folder: &Path, depth: usize, files: &mut BTreeMap<PathBuf, (Option<SystemTime>, u64)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.metadata() {
            Ok(_) if is_hidden => {}
            Ok(found) if found.is_dir() && depth > 0 => collect(&entry.path(), depth - 1, files),
            Ok(found) => drop(files.insert(entry.path(), (found.modified().ok(), found.len()))),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted(usize);

    impl Changes for Counted {
        fn wait(&mut self) {
            self.0 += 1;
        }
    }

    #[test]
    fn it_is_done_again_after_each_change_until_it_fails() {
        let mut done = 0;
        let ended = run(
            || {
                done += 1;
                if done < 3 { Ok(()) } else { Err(Failure::OutputClosed) }
            },
            Counted(0),
        );
        assert!(matches!(ended, Err(Failure::OutputClosed)) && done == 3);
    }

    #[test]
    fn a_file_that_comes_changes_or_goes_is_a_change_and_a_hidden_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("workflows")).unwrap();
        let file = dir.path().join("workflows/a.test.yaml");
        for watched in [dir.path().to_owned(), dir.path().join("workflows"), file.clone()] {
            fs::write(&file, "one").unwrap();
            let mut files = Files::below(&watched);
            assert!(!files.have_changed());
            fs::write(&file, "another").unwrap();
            assert!(files.have_changed() && !files.have_changed());
            fs::write(dir.path().join("hook.json"), "{}").unwrap();
            assert!(files.have_changed());
            fs::remove_file(dir.path().join("hook.json")).unwrap();
            assert!(files.have_changed());
            fs::write(dir.path().join(".a.swp"), "{}").unwrap();
            assert!(!files.have_changed());
        }
    }
}
