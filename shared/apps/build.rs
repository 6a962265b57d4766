//! The lists of the files under `providers/`, written as Rust that embeds them. A provider is whatever folder has an `app.json`.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=providers");

    let home = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let output = PathBuf::from(variable("OUT_DIR")?);
    let providers: Vec<PathBuf> =
        entries(&home.join("providers"))?.into_iter().filter(|folder| folder.join("app.json").is_file()).collect();

    fs::write(output.join("apps.rs"), list_of_apps(&providers))?;
    fs::write(output.join("samples.rs"), list_of_samples(&providers)?)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// What is in a folder, sorted, so that the same files always give the same program.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn list_of_apps(providers: &[PathBuf]) -> String {
    let rows = providers.iter().map(|folder| {
        format!("App::embedded({:?}, {}),\n", stem(folder), embedded(&format!("{}/app.json", stem(folder))))
    });
    format!("static APPS: [App; {}] = [\n{}];\n", providers.len(), rows.collect::<String>())
}

fn list_of_samples(providers: &[PathBuf]) -> io::Result<String> {
    let mut rows = Vec::new();
    for folder in providers {
        let samples = folder.join("samples");
        for file in if samples.is_dir() { entries(&samples)? } else { Vec::new() } {
            if file.extension().is_some_and(|extension| extension == "json") {
                let text = embedded(&format!("{}/samples/{}.json", stem(folder), stem(&file)));
                rows.push(format!("File::embedded({:?}, {:?}, {text}),\n", stem(folder), stem(&file)));
            }
        }
    }
    Ok(format!("static FILES: [File; {}] = [\n{}];\n", rows.len(), rows.concat()))
}

/// The file as the compiler finds it, also where the same build output serves another checkout.
fn embedded(path: &str) -> String {
    format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))", format!("/providers/{path}"))
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".json").unwrap_or(&name).to_owned()
}
