use workbook::book::broken_links;

fn problems(pages: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in pages {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let broken = broken_links(folder.path()).unwrap();
    broken.iter().map(ToString::to_string).collect()
}

#[test]
fn links_that_lead_somewhere_are_fine() {
    let found = problems(&[
        (
            "index.html",
            r##"<a href="a/b.html#the-%5Bidea%5D">x</a><a href='#top'>y</a><h1 id=top>
            <a href="https://example.org/none">z</a><img src=a/f.svg /><a href="a/">dir</a>"##,
        ),
        (
            "a/b.html",
            "<h2 id=\"the-[idea]\"><a href=\"../index.html?x=1\">up</a>",
        ),
        ("a/index.html", "<p>"),
        ("a/f.svg", ""),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn links_that_lead_nowhere_are_told_once() {
    let found = problems(&[(
        "p/index.html",
        r##"<a href="none.html">x</a> <a href="none.html">x</a>
        <img src="none.svg"><a href="#none">y</a><a href="../../../etc/passwd">z</a>
        <a href="/absolute.html">z</a>"##,
    )]);
    assert_eq!(
        found,
        [
            "p/index.html: `#none`: no such anchor",
            "p/index.html: `../../../etc/passwd`: leaves the book",
            "p/index.html: `/absolute.html`: leaves the book",
            "p/index.html: `none.html`: no such file",
            "p/index.html: `none.svg`: no such file",
        ]
    );
}

#[test]
fn what_only_looks_like_a_link_is_passed_over() {
    let found = problems(&[(
        "index.html",
        "<!-- <a href=\"none.html\"> --><script>x = '<a href=\"none.html\">'</script>\
         <code>&lt;a href=\"none.html\"&gt;</code> a < b <p",
    )]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn pages_that_mdbook_makes_of_others_are_not_looked_at() {
    let found = problems(&[
        ("index.html", "<p>"),
        ("print.html", "<a href=\"none.html\">"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}
