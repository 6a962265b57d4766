//! Outputs as they are kept in files. Where `UPDATE_GOLDEN` is set they are written anew, for somebody to read the difference.

use std::{env, fs, path::Path};

/// `actual` is what stands in `golden/NAME.txt`.
#[track_caller]
pub(super) fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/workflow_tests/golden/{name}.txt"));
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(actual, expected, "{}", path.display());
}
