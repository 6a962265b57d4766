//! What `template.yaml` says of each function: its binary, its routes, its variables.
//!
//! This reads the file line by line, in the shape it is written in; it is no YAML parser. What it did not find, a story
//! misses at once.

/// The functions of the template.
pub struct Template {
    functions: Vec<Told>,
}

/// What the template says of one function.
pub struct Told {
    /// The name of its binary.
    pub binary: String,
    /// Method and path of each of its routes.
    pub routes: Vec<(String, String)>,
    /// Its variables of ours.
    pub variables: Vec<String>,
}

/// How well a route fits a path: the fewer variable parts the better, then a method by name is better than `ANY`.
type Fit = (usize, usize);

impl Template {
    /// The one in this repository.
    pub fn read() -> Self {
        let mut functions: Vec<Told> = Vec::new();
        for line in include_str!("../../../template.yaml").lines() {
            if let Some(binary) = between(line, "BuildProperties: { Binary: ", " }") {
                functions.push(Told { binary: binary.to_owned(), routes: Vec::new(), variables: Vec::new() });
            }
            let Some(function) = functions.last_mut() else { continue };
            if let (Some(method), Some(path)) = (between(line, " Method: ", ","), between(line, " Path: ", " }")) {
                function.routes.push((method.to_owned(), path.trim_matches('\'').to_owned()));
            }
            if let Some((name, _)) =
                line.trim_start().split_once(": ").filter(|(name, _)| name.starts_with("HOOKWRIGHT_"))
            {
                function.variables.push(name.to_owned());
            }
        }
        Self { functions }
    }

    /// What is said of the function with this binary.
    pub fn function(&self, binary: &str) -> &Told {
        self.functions.iter().find(|told| told.binary == binary).expect("the template has no such function")
    }

    /// The binary of the function that the HTTP API gives a request to; `None` when it answers 404 itself.
    ///
    /// *Source*: API Gateway Developer Guide, "Create routes for HTTP APIs": the most specific route wins.
    pub fn binary_for(&self, method: &str, path: &str) -> Option<&str> {
        let fits = self.functions.iter().flat_map(|told| {
            told.routes.iter().filter_map(|route| Some((fit(route, method, path)?, told.binary.as_str())))
        });
        fits.min_by_key(|(fit, _)| *fit).map(|(_, binary)| binary)
    }
}

fn fit((route_method, route_path): &(String, String), method: &str, path: &str) -> Option<Fit> {
    let method_fit = match route_method.as_str() {
        "ANY" => 1,
        named if named == method => 0,
        _ => return None,
    };
    let mut parts = path.split('/');
    let mut variable_parts = 0;
    for wanted in route_path.split('/') {
        let part = parts.next().filter(|part| !part.is_empty() || wanted.is_empty())?;
        match wanted.starts_with('{') {
            // Worse than any number of single parts.
            true if wanted.ends_with("+}") => return Some((usize::MAX, method_fit)),
            true => variable_parts += 1,
            false if wanted == part => {}
            false => return None,
        }
    }
    parts.next().is_none().then_some((variable_parts, method_fit))
}

fn between<'l>(line: &'l str, before: &str, after: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
