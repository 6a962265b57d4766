//! The example projects of the repository, each with its own tests.

use std::{fs, path::PathBuf, process::Command};

fn examples() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn every_example_passes_its_own_tests_and_each_of_its_workflows_has_some() {
    let folders = examples();
    assert_eq!(folders.len(), 5);
    for folder in folders {
        let output = Command::new(env!("CARGO_BIN_EXE_hookwright"))
            .args(["workflows", "test", "--json"])
            .arg(&folder)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {printed}{}", folder.display(), String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(report["untested"], serde_json::json!([]), "{}", folder.display());
        assert!(report["passed"].as_u64().unwrap() >= 3, "{}", folder.display());
    }
}
