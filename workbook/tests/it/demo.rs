use workbook::demo::{Said, short_row};

#[test]
fn what_ip_count_says_is_understood() {
    let cases = [
        ("acknowledged 1400 lines", Said::Acknowledged(1400)),
        ("acknowledged some lines", Said::Other),
        (
            "row 10:00 10:05 127.0.0.1 3",
            Said::Row("10:00 10:05 127.0.0.1 3"),
        ),
        ("rows 12 more", Said::More(12)),
        ("side line 7: no time", Said::Side("line 7: no time")),
        (
            "queue does not answer",
            Said::Queue("queue does not answer"),
        ),
        (
            "resumed at offset 3; 9 lines are in the queue",
            Said::Resumed("resumed at offset 3; 9 lines are in the queue"),
        ),
        ("topics a for lines, b for rows", Said::Other),
        ("", Said::Other),
    ];
    for (line, expected) in cases {
        assert_eq!(Said::parse(line), expected, "{line}");
    }
}

#[test]
fn only_ok_is_right() {
    for (text, is_right) in [
        ("verdict: OK, all 3 rows", true),
        ("verdict: FAILED, row", false),
    ] {
        assert_eq!(Said::parse(text), Said::Verdict { is_right, text });
    }
}

#[test]
fn a_row_fits_a_narrow_screen() {
    assert_eq!(
        short_row("2015-05-20T10:05:00Z 2015-05-20T10:05:05Z 66.249.73.135 3"),
        "2015-05-20 10:05:00 to 10:05:05  66.249.73.135       3"
    );
    assert_eq!(short_row("something else"), "something else");
}
