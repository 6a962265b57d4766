//! Figures as tables: the name of a row on the left, its baseline in another row of the same table.

/// Prints a title and the names of the columns.
pub fn head(title: &str, columns: &[&str]) {
    println!("\n{title}");
    let columns: String = columns.iter().map(|column| format!("{column:>13}")).collect();
    println!("{:<44}{columns}", "");
}

/// Prints one row; what has no figure is left empty.
pub fn row(name: &str, figures: &[Option<f64>]) {
    let figures: String =
        figures.iter().map(|figure| format!("{:>13}", figure.map(spell).unwrap_or_default())).collect();
    println!("{name:<44}{figures}");
}

/// Three digits are what one run is good for.
fn spell(figure: f64) -> String {
    match figure.abs() {
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        1.0.. => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}
