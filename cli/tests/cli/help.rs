//! `--help`: every command, found by walking down from the top.

use crate::hookwright;

#[test]
fn the_help_of_every_command_has_an_example() {
    let mut walked = 0;
    walk(&mut Vec::new(), &mut walked);
    assert!(walked > 115, "only {walked} commands were found");
}

fn walk(words: &mut Vec<String>, walked: &mut usize) {
    let dir = tempfile::tempdir().unwrap();
    let asked: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
    let done = hookwright(dir.path(), &asked);
    assert_eq!(done.code, 0, "{words:?}: {}", done.err);
    assert!(
        done.out.contains("Examples:\n  hookwright") || done.out.contains("Examples:\n  sed"),
        "{words:?}: {}",
        done.out
    );
    *walked += 1;
    for command in commands(&done.out) {
        words.push(command);
        walk(words, walked);
        words.pop();
    }
}

fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let dir = tempfile::tempdir().unwrap();
    let done = hookwright(dir.path(), &["--help"]);
    for code in 0..=7 {
        assert!(done.out.contains(&format!("\n  {code}  ")), "{code}: {}", done.out);
    }
}

#[test]
fn an_unknown_flag_and_an_update_of_nothing_are_usage() {
    let dir = tempfile::tempdir().unwrap();
    for words in [
        &["hooks", "ls", "--explode"][..],
        &["hooks", "update", "6a1f2e3d4c5b6a7980a1b2c3"],
        &["hooks", "create"],
        &["hooks", "create", "--title", "a", "--reply-body", "ok"],
        &["customers", "create"],
        &["customers", "update", "ann@example.com", "--custom", "noTypeAtAll=1"],
        &["customers", "update", "ann@example.com", "--rev", "two", "--name", "Ann"],
        &["customers", "merge", "ann@example.com"],
        &["dead-letters", "redrive"],
        &["dead-letters", "redrive", "d1", "--all"],
        &["dead-letters", "redrive", "d1", "--dry-run"],
        &["dead-letters", "redrive", "d1", "--event", "shop.paid"],
        &["conversations", "ls"],
        &["notes", "ls"],
        &["notes", "create"],
        &["instances", "create"],
        &["instances", "relate", "order", "o1", "payer"],
        &["instances", "relate", "order", "o1", "payer", "c1", "--clear"],
        &["customers", "relate", "c1", "payer", "c2"],
        &["instances", "create", "order"],
        &["instances", "show", "order"],
        &["instances", "create", "order", "--data", "{"],
        &["events", "publish"],
        &["events", "publish", "shop.paid", "--data", "{"],
        &["events", "publish", "shop.paid", "--data", "no-such-file.json"],
        &["klasses", "update", "order"],
        &["klasses", "create", "order", "--attribute", "orderID=Order"],
        &["klasses", "create", "order.json", "--icon", "box"],
        &["runs", "ls", "--workflow", "w", "--state", "asleep"],
        &["runs", "ls"],
        &["webhooks", "create", "https://a.example"],
        &["webhooks", "update", "w1"],
        &["webhooks", "deliveries", "w1", "--state", "lost"],
        &["keys", "new", "--org", "short"],
        &["keys", "create", "--name", "n"],
        &["workflows", "create", "no-such-file.json"],
        &["workflows", "lint"],
        &["workflows", "version", "w1", "two"],
        &["workflows", "variables", "create", "w1", "--name", "n"],
        &["workflows", "variables", "update", "v1"],
        &["actions", "show"],
        &["actions", "ls", "--offline", "--grep"],
        &["apps", "settings", "shop", "--set", "region=eu"],
        &["apps", "settings", "shop", "--set", "default.region"],
        &["org", "set"],
        &["org", "set", "--if-rev", "1"],
        &["org", "set", "--limit", "100"],
        &["org", "set", "--name", "Acme", "--no-name"],
        &["mail", "outbox", "show", "m1", "--raw", "--html"],
        &["apps", "register"],
        &["apps", "available", "--version", "1.0.0"],
        &["eval"],
        &["eval", "x", "--condition", "{}"],
        &["eval", "x", "--steps", "{", "--offline"],
        &["eval", "x", "--run", "r1", "--offline"],
        &["eval", "missing.json", "--offline"],
        &["why"],
        &["hooks", "ls", "--url", "localhost:8787"],
        &[],
    ] {
        let done = hookwright(dir.path(), words);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{words:?}: {}", done.err);
        assert!(!done.err.is_empty(), "{words:?}");
    }
}
