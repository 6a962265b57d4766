//! Bugs that can be put in: see `teeth/`.

use std::{fs, path::PathBuf};

/// A bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bug {
    /// The name of its file, without the ending.
    pub name: String,
    /// Who had it, and what it was.
    pub title: String,
    /// What cargo is to do to notice it.
    pub suite: String,
    /// What makes it.
    pub changes: Vec<Change>,
}

/// What is written in the place of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In which file of the tree.
    pub file: String,
    /// What stands there, exactly once.
    pub is: String,
    /// What stands there with the bug.
    pub becomes: String,
}

/// The folder of the whole tree.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every bug, by name.
pub fn bugs() -> Vec<Bug> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("teeth");
    let files = fs::read_dir(folder).expect("the folder of bugs");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let bug = |file: &PathBuf| {
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        Bug::parse(&name, &fs::read_to_string(file).expect("a readable bug"))
    };
    files.iter().map(bug).collect()
}

impl Bug {
    /// Reads a title, a line `suite: …`, and changes of three parts each: `file: …`, then what stands behind a line `--- is`, then
    /// what stands behind a line `--- becomes`.
    fn parse(name: &str, text: &str) -> Self {
        let (head, rest) = text.split_once("\nfile: ").expect("a line with the file");
        let (title, suite) = head.split_once("\nsuite: ").expect("a line with the suite");
        let change = |part: &str| {
            let (file, part) = part.split_once("\n--- is\n").expect("what stands there");
            let (is, becomes) = part.split_once("--- becomes\n").expect("what it becomes");
            Change { file: file.trim().to_owned(), is: is.to_owned(), becomes: becomes.to_owned() }
        };
        let changes = rest.split("\nfile: ").map(change).collect();
        Self { name: name.to_owned(), title: title.trim().to_owned(), suite: suite.trim().to_owned(), changes }
    }
}
