//! Which scripts of an HTML text are found.

use serde_json::json;

use crate::{codes, read, script};

/// HTML around `§`, which stands for a script with `{"n":1}`, and how many scripts are found.
const PLACES: &[(&str, usize)] = &[
    ("<html><head>§</head><body>§</body></html>§", 3),
    ("§", 1),
    ("<table>§<tr>§<td>§</table>", 3),
    ("<div style=\"display:none\"><p>§</div>", 1),
    ("<select>§<option>§</select>", 2),
    ("<template>§</template>", 1),
    ("<svg>§<title>§</title></svg>", 2),
    ("<frameset>§</frameset>", 1),
    ("<!-- § -->§", 1),
    ("<!--[if mso]>§<![endif]-->", 0),
    ("<!--[if !mso]><!-->§<!--<![endif]-->", 1),
    ("<![if !mso]>§<![endif]>", 1),
    ("<!-->§--><!--->§<!-- --!>§<!x>§<?x>§</ x>§", 6),
    ("<textarea>§</textarea>§", 1),
    ("<title>§</title>§", 1),
    ("<style>§</style>§", 1),
    ("<xmp>§</xmp><iframe>§</iframe><noembed>§</noembed><noscript>§</noscript>§", 1),
    ("<a title='§'>§</a>", 1),
    ("<script>var x = 1 </script>§", 1),
    ("§<plaintext>§", 1),
    ("<![CDATA[§]]>", 0),
];

/// A script's opening tag, and whether it says that it holds JSON.
const TAGS: &[(&str, bool)] = &[
    ("<script type=\"application/ld+json\">", true),
    ("<script type=\"application/json\">", true),
    ("<SCRIPT TYPE='Application/LD+JSON; charset=utf-8'>", true),
    ("<script type=\" application/ld+json\n\">", true),
    ("<script\nid=x type = application/ld+json >", true),
    ("<script/type=application/ld+json>", true),
    ("<script type=application/ld+json/>", false),
    ("<script data-x='>' type=application/ld+json>", true),
    ("<script type=\"application/ld&#43;json\">", true),
    ("<script type=\"application&sol;json\">", true),
    ("<script type=application/json type=text/javascript>", true),
    ("<script type=text/javascript type=application/json>", false),
    ("<script type=\"application/ld+jsonp\">", false),
    ("<script type=\"text/json\">", false),
    ("<script type=\"application/ld json\">", false),
    ("<script data-type=\"application/json\">", false),
    ("<script>", false),
    ("<scripts type=\"application/json\">", false),
    ("< script type=\"application/json\">", false),
    ("<pre type=\"application/json\">", false),
];

#[test]
fn only_what_a_browser_takes_for_a_script_is_one() {
    for (html, found) in PLACES {
        let blocks = read(&html.replace('§', &script("{\"n\":1}"))).blocks;
        assert_eq!(blocks.len(), *found, "{html}");
        assert!(blocks.iter().all(|block| block.value == Some(json!({"n": 1}))), "{html}");
    }
}

#[test]
fn the_type_says_whether_a_script_is_json() {
    for (tag, is_json) in TAGS {
        assert_eq!(!read(&format!("{tag}{{\"n\":1}}</script>")).blocks.is_empty(), *is_json, "{tag}");
    }
}

#[test]
fn a_closing_tag_within_a_string_ends_the_script() {
    let mail = read(
        "<script type=application/json>{\"a\":\"</script>\"}</script><script type=application/json>{\"b\":1}</script>",
    );
    assert_eq!(mail.blocks[0].error.as_deref(), Some("The string that begins here has no end (line 1, column 6)."));
    assert_eq!(mail.data, json!({"b": 1}));
}

#[test]
fn within_a_comment_a_second_opening_tag_hides_a_closing_one() {
    let mail = read("<script type=application/json><!-- <script>{\"a\":1} </script>x--></script><b>");
    assert_eq!(mail.blocks.len(), 1);
    assert!(mail.blocks[0].error.is_some());
}

#[test]
fn a_script_that_never_ends_ends_with_the_text() {
    assert_eq!(read("<script type=application/json>{\"a\":1}").data, json!({"a": 1}));
    assert!(read("<script type=application/json").blocks.is_empty());
    assert!(read("<script type=application/json>{\"a\":1}</scr").blocks[0].error.is_some());
}

#[test]
fn text_is_taken_as_it_is_written_but_for_nul_characters() {
    let mail = read("<script type=application/json>{\"a\":\"&amp;<b>\r\n\0\"}</script>");
    assert_eq!(mail.blocks[0].value, Some(json!({"a": "&amp;<b>\n\u{fffd}"})));
}

#[test]
fn a_block_says_where_its_tag_begins_and_what_else_it_carries() {
    let mail = read("<p>é</p><script id=x data-a='&amp;' DATA-A=2 type=application/json>{}</script>");
    assert_eq!(mail.blocks[0].offset, 9);
    assert_eq!(mail.blocks[0].attributes, [("id".into(), "x".into()), ("data-a".into(), "&amp;".into())]);
}

#[test]
fn what_is_kept_of_a_tag_has_limits() {
    let many: String = (0..5_000).map(|number| format!(" a{number}={}", "x".repeat(20))).collect();
    let long = "y".repeat(1 << 20);
    let mail = read(&format!(
        "<script {many} type=application/json>{{}}</script><script id={long} type=application/json>[]</script>"
    ));

    assert_eq!(mail.blocks[0].attributes.len(), 20);
    assert_eq!(mail.blocks[1].attributes[0].1.len(), 200);
}

#[test]
fn of_many_scripts_the_first_hundred_are_read() {
    let mail = read(&(0..103).map(|number| script(&format!("{{\"n\":{number}}}"))).collect::<String>());
    assert_eq!(mail.blocks.len(), 100);
    assert_eq!(mail.data[99], json!({"n": 99}));
    assert_eq!(mail.notes[0].message, "Of the JSON scripts the first 100 were read; 3 more were left out.");
}

#[test]
fn html_that_opens_too_many_elements_still_gives_what_stands_before_them() {
    let deep = |count: usize| read(&(script("{\"n\":1}") + &"<b>".repeat(count) + &script("{\"n\":2}")));
    assert_eq!(deep(50_000).data, json!([{"n": 1}, {"n": 2}]));

    let mail = deep(1_000_000);
    assert_eq!(mail.data, json!({"n": 1}));
    assert_eq!(codes(&mail), ["html_left_out"]);
}

#[test]
fn hostile_html_is_read_in_one_pass() {
    let pieces = [
        "<",
        "<!--",
        "<script>",
        "<script><!--",
        "</scrip",
        "<div>",
        "</b>",
        "<x ",
        "&amp",
        "<a b='",
        "<!",
        "<table>",
        "<svg>",
    ];
    for piece in pieces {
        let mail = read(&(script("{\"n\":1}") + &piece.repeat(200_000 / piece.len())));
        assert_eq!(mail.data, json!({"n": 1}), "{piece}");
    }
}
