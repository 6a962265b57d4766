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

    fs::write(output.join("apps.rs"), list_of_apps(&providers, &output)?)?;
    fs::write(output.join("samples.rs"), list_of_samples(&providers, &output)?)
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

fn list_of_apps(providers: &[PathBuf], output: &Path) -> io::Result<String> {
    let mut rows = Vec::new();
    for folder in providers {
        let name = stem(folder);
        let text = embedded(&folder.join("app.json"), &format!("{name}.app.json"), output)?;
        rows.push(format!("App::embedded({name:?}, {text}),\n"));
    }
    Ok(format!("static APPS: [App; {}] = [\n{}];\n", rows.len(), rows.concat()))
}

fn list_of_samples(providers: &[PathBuf], output: &Path) -> io::Result<String> {
    let mut rows = Vec::new();
    for folder in providers {
        let (name, samples) = (stem(folder), folder.join("samples"));
        for file in if samples.is_dir() { entries(&samples)? } else { Vec::new() } {
            if file.extension().is_some_and(|extension| extension == "json") {
                let text = embedded(&file, &format!("{name}.{}.sample.json", stem(&file)), output)?;
                rows.push(format!("File::embedded({name:?}, {:?}, {text}),\n", stem(&file)));
            }
        }
    }
    Ok(format!("static FILES: [File; {}] = [\n{}];\n", rows.len(), rows.concat()))
}

/// The file without its indentation, which is half of it, as the compiler finds it. No text of JSON goes over a line's end,
/// so what is taken away stands between texts.
fn embedded(file: &Path, name: &str, output: &Path) -> io::Result<String> {
    let text: String = fs::read_to_string(file)?.lines().map(str::trim).collect();
    fs::write(output.join(name), text)?;
    Ok(format!("include_str!(concat!(env!(\"OUT_DIR\"), {:?}))", format!("/{name}")))
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".json").unwrap_or(&name).to_owned()
}
