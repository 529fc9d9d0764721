//! What the compiler shows for a trait that can be no service, and where.

use proc_macro2::{LineColumn, Span, TokenStream};

use crate::model::Service;

/// Returns the errors for a source text, each with what it underlines.
fn errors_of(attribute: &str, source: &str) -> Vec<String> {
    let attribute: TokenStream = attribute.parse().unwrap();
    // Spans count over all texts that this thread has parsed, lines and columns do not.
    let item: TokenStream = source.parse().unwrap();
    match Service::read(attribute, item) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .into_iter()
            .map(|error| format!("{} | {error}", underlined(source, error.span())))
            .collect(),
    }
}

fn underlined(source: &str, span: Span) -> String {
    let offset = |at: LineColumn| {
        let lines = source.split_inclusive('\n').take(at.line - 1);
        lines.map(str::len).sum::<usize>() + at.column
    };
    source[offset(span.start())..offset(span.end())].to_owned()
}

/// Checks the errors of a trait with this one method.
fn method(source: &str, expected: &str) {
    let source = format!("trait Greeter {{\n    {source}\n}}");
    assert_eq!(errors_of("", &source), [expected], "{source}");
}

#[test]
fn a_method_that_waits_is_async() {
    let hint = "write `async fn`, or `#[rpc(blocking)]` above a method that blocks its thread";
    method("fn greet(&self) -> String;", &format!("fn | {hint}"));
    method("fn greet(&self);", &format!("fn | {hint}"));
    method("#[rpc(one_way)] fn note(&self);", &format!("fn | {hint}"));
    method(
        "#[rpc(blocking)] async fn greet(&self);",
        "blocking | a method that blocks is no `async fn`: it runs on a thread of its own",
    );
}

#[test]
fn arguments_and_results_travel() {
    let by_value = "travels to another process, so it is a value of its own: `String` for `&str`, `Vec<T>` for `&[T]`";
    method(
        "async fn greet(&self, name: &str) -> String;",
        &format!("&str | an argument {by_value}"),
    );
    method(
        "async fn greet(&self) -> &'static str;",
        &format!("&'static str | a result {by_value}"),
    );
    method(
        "async fn greet(&self) -> Result<&'static str, u8>;",
        &format!("&'static str | a result {by_value}"),
    );
    method(
        "async fn greet(&self) -> Result<u8, &'static str>;",
        &format!("&'static str | an error {by_value}"),
    );
    method(
        "fn greet(&self) -> impl Stream<Item = &'static str>;",
        &format!("&'static str | an item {by_value}"),
    );
    method(
        "async fn greet(&self, name: impl Into<String>);",
        "impl Into<String> | an argument has a type with a name: both sides must know it",
    );
    method(
        "async fn greet(&self, (first, last): (String, String));",
        "(first, last) | an argument of a service's method is a name and a type",
    );
}

#[test]
fn an_error_has_a_type() {
    let hint = "write `Result<T, E>` with both types: the error travels too";
    method(
        "async fn greet(&self) -> io::Result<String>;",
        &format!("io::Result<String> | {hint}"),
    );
    method(
        "async fn greet(&self) -> Result;",
        &format!("Result | {hint}"),
    );
}

#[test]
fn many_calls_share_the_service() {
    let hint = "a method of a service takes `&self`: many calls run at the same time";
    method("async fn greet(&mut self);", &format!("&mut self | {hint}"));
    method("async fn greet(self);", &format!("self | {hint}"));
    method("async fn greet();", &format!("greet | {hint}"));
}

#[test]
fn marks_and_streams() {
    method(
        "#[rpc(oneway)] async fn note(&self);",
        "oneway | a method is marked `blocking`, `one_way` or `idempotent`, or not at all",
    );
    method(
        "#[rpc(one_way)] #[rpc(blocking)] fn note(&self);",
        "blocking | a method is `blocking` or `one_way`, and says each mark once",
    );
    method(
        "#[rpc(idempotent, idempotent)] async fn greet(&self);",
        "idempotent | a method is `blocking` or `one_way`, and says each mark once",
    );
    let no_retry = "only a method with one reply is `idempotent`: no other call is made again";
    method(
        "#[rpc(one_way, idempotent)] async fn note(&self);",
        &format!("idempotent | {no_retry}"),
    );
    method(
        "#[rpc(idempotent)] fn count(&self) -> impl Stream<Item = u8>;",
        &format!("idempotent | {no_retry}"),
    );
    method(
        "#[rpc(one_way)] async fn note(&self) -> u8;",
        "u8 | a `one_way` method returns nothing: nobody waits for it",
    );
    method(
        "async fn count(&self) -> impl Stream<Item = u8>;",
        "async | a method that returns a stream is no `async fn`: the stream does the waiting",
    );
    method(
        "#[rpc(blocking)] fn count(&self) -> impl Stream<Item = u8>;",
        "blocking | a method that returns a stream has no mark",
    );
    method(
        "fn count(&self) -> impl Iterator<Item = u8>;",
        "impl Iterator<Item = u8> | what a method returns has a name, or is `impl Stream<Item = T>`",
    );
}

#[test]
fn what_a_service_consists_of() {
    let generic = "has no parameters of its own: both sides must know every type";
    method(
        "async fn greet<T>(&self, name: T);",
        &format!("T | a method of a service {generic}"),
    );
    method(
        "async fn greet(&self) where Self: Sized;",
        &format!("where Self: Sized | a method of a service {generic}"),
    );
    method(
        "async fn greet(&self) { }",
        "{ } | a method of a service has no body here: the server's implementation has it",
    );
    method(
        "const LANGUAGE: &str;",
        "const | a service has methods, and nothing else",
    );
    method(
        "async fn with_patience(&self);",
        "with_patience | every client has a method of this name already",
    );
    assert_eq!(
        errors_of("", "trait Greeter<T> { }"),
        [format!("T | a service {generic}")]
    );
    assert_eq!(
        errors_of("", "struct Greeter;"),
        ["struct | a service is a trait"]
    );
}

#[test]
fn a_mark_beside_another_one() {
    for marks in [
        "#[rpc(idempotent, blocking)]",
        "#[rpc(blocking)] #[rpc(idempotent)]",
    ] {
        let source = format!("trait Greeter {{ {marks} fn greet(&self) -> String; }}");
        let service = Service::read(TokenStream::new(), source.parse().unwrap());
        let methods = service.ok().unwrap().methods;
        assert!(methods[0].is_idempotent, "{marks}");
    }
}

#[test]
fn the_attribute_names_a_codec() {
    let errors = errors_of("codec = rpc::Json", "trait Greeter { }");
    assert_eq!(errors, Vec::<String>::new());
    let attribute: TokenStream = "format = Json".parse().unwrap();
    let item: TokenStream = "trait Greeter { }".parse().unwrap();
    let error = Service::read(attribute, item).err().unwrap();
    let message = "the attribute takes `codec = …`, and nothing else";
    assert_eq!(error.to_string(), message);
}

#[test]
fn all_errors_come_at_once() {
    let source = "trait Greeter {\n    fn greet(&self);\n    async fn count(self);\n}";
    assert_eq!(errors_of("", source).len(), 2);
}
