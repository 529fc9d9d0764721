//! The dispatch table.

use fastrand::Rng;
use spec_harness::{case, expect_eq};

use super::part::{DispatchTable, Duplicate, Error, Target, name_id};

/// FNV-1a gives both words of a pair the same id.
const PAIRS: [[&str; 2]; 3] = [
    ["costarring", "liquid"],
    ["declinate", "macallums"],
    ["altarage", "zinke"],
];

/// What a call says about its method.
fn target(service: &str, method: &str, codec: u8) -> Target {
    Target {
        service: name_id(service),
        method: name_id(method),
        codec,
    }
}

/// A table with these methods. Each is its name with its codec.
fn table(methods: &[(&'static str, &'static str, u8)]) -> DispatchTable<String> {
    let mut table = DispatchTable::default();
    for (service, method, codec) in methods {
        let what = format!("add {service}.{method} with codec {codec}");
        expect_eq(&what, add(&mut table, service, method, *codec), Ok(()));
    }
    table
}

fn add(
    table: &mut DispatchTable<String>,
    service: &'static str,
    method: &'static str,
    codec: u8,
) -> Result<(), Duplicate> {
    table.add(
        service,
        method,
        codec,
        format!("{service}.{method} {codec}"),
    )
}

/// Checks what a call for a method finds: `Ok` is the method as [`table`] made it.
fn expect_found(
    table: &DispatchTable<String>,
    (service, method, codec): (&str, &str, u8),
    expected: Result<&str, Error>,
) {
    let found = table.find(target(service, method, codec));
    let what = format!("a call for {service}.{method} with codec {codec}");
    expect_eq(&what, found.map(String::as_str), expected);
}

#[test]
fn a_method_is_found() {
    case!(
        "A call has no names, only ids, and they lead to the method.",
        || {
            let table = table(&[("Greeter", "greet", 1), ("Greeter", "part", 1)]);
            expect_found(&table, ("Greeter", "greet", 1), Ok("Greeter.greet 1"));
            expect_found(&table, ("Greeter", "part", 1), Ok("Greeter.part 1"));
        }
    );
}

#[test]
fn the_same_name_in_two_services() {
    case!(
        "Two services may have a method of the same name: each call gets its own.",
        || {
            let table = table(&[("Greeter", "now", 1), ("Clock", "now", 1)]);
            expect_found(&table, ("Greeter", "now", 1), Ok("Greeter.now 1"));
            expect_found(&table, ("Clock", "now", 1), Ok("Clock.now 1"));
        }
    );
}

#[test]
fn one_method_with_two_codecs() {
    case!(
        "A method may be there once for each codec; the call's codec decides.",
        || {
            let table = table(&[("Greeter", "greet", 1), ("Greeter", "greet", 2)]);
            expect_found(&table, ("Greeter", "greet", 2), Ok("Greeter.greet 2"));
            expect_found(&table, ("Greeter", "greet", 1), Ok("Greeter.greet 1"));
        }
    );
}

#[test]
fn what_is_missing() {
    case!(
        "The client hears what is missing: the service, the method of the service, or the codec.",
        || {
            expect_found(&table(&[]), ("Clock", "now", 1), Err(Error::NoProvider));
            let table = table(&[("Greeter", "greet", 1), ("Clock", "now", 2)]);
            expect_found(&table, ("Greter", "greet", 1), Err(Error::NoProvider));
            expect_found(&table, ("Greeter", "great", 1), Err(Error::NoMethod));
            expect_found(&table, ("Greeter", "greet", 2), Err(Error::BadRequest));
            expect_found(&table, ("Clock", "now", 1), Err(Error::BadRequest));
        }
    );
}

#[test]
fn what_others_have() {
    case!(
        "A method or a codec that another service or method has is missing all the same.",
        || {
            let table = table(&[("Greeter", "greet", 1), ("Clock", "now", 2)]);
            expect_found(&table, ("Clock", "greet", 2), Err(Error::NoMethod));
            expect_found(&table, ("Greeter", "now", 1), Err(Error::NoMethod));
            expect_found(&table, ("greet", "greet", 1), Err(Error::NoProvider));
            expect_found(&table, ("now", "Clock", 2), Err(Error::NoProvider));
        }
    );
}

#[test]
fn a_method_that_is_there_already() {
    case!(
        "A method is added once for each codec. A second one would hide the first.",
        || {
            let mut table = table(&[("Greeter", "greet", 1)]);
            let again = table.add("Greeter", "greet", 1, "a second one".to_owned());
            let expected = Err(Duplicate("greet", "greet"));
            expect_eq("add Greeter.greet with codec 1 again", again, expected);
            expect_found(&table, ("Greeter", "greet", 1), Ok("Greeter.greet 1"));
        }
    );
}

#[test]
fn two_services_with_one_id() {
    case!(
        "Two services whose names have the same id cannot both be there: calls do not say which.",
        || {
            for [one, other] in PAIRS {
                let mut table = table(&[(one, "greet", 1)]);
                for (method, codec) in [("greet", 1), ("greet", 2), ("part", 1)] {
                    let what = format!(
                        "add {other}.{method} with codec {codec}, {one} is there and has the same id"
                    );
                    let got = add(&mut table, other, method, codec);
                    expect_eq(&what, got, Err(Duplicate(one, other)));
                }
            }
        }
    );
}

#[test]
fn two_methods_with_one_id() {
    case!(
        "Two methods of a service whose names have the same id cannot both be there.",
        || {
            for [one, other] in PAIRS {
                let mut table = table(&[("Greeter", one, 1)]);
                for codec in [1, 2] {
                    let what = format!(
                        "add Greeter.{other} with codec {codec}, {one} is there and has the same id"
                    );
                    let got = add(&mut table, "Greeter", other, codec);
                    expect_eq(&what, got, Err(Duplicate(one, other)));
                }
            }
        }
    );
}

#[test]
fn codecs_at_the_edges() {
    case!(
        "A codec is any number from 0 to 255. The first and the last one count as all others do.",
        || {
            for [one, other] in PAIRS {
                for codec in [0, 1, 254, 255] {
                    let mut table = table(&[("Greeter", one, codec)]);
                    for second in [0, 1, 254, 255] {
                        let what = format!(
                            "add Greeter.{other} with codec {second}, \
                             {one} is there with codec {codec} and has the same id"
                        );
                        let got = add(&mut table, "Greeter", other, second);
                        expect_eq(&what, got, Err(Duplicate(one, other)));
                        expect_found(&table, ("Greeter", "part", second), Err(Error::NoMethod));
                        if second != codec {
                            let missing = ("Greeter", one, second);
                            expect_found(&table, missing, Err(Error::BadRequest));
                        }
                    }
                }
            }
        }
    );
}

#[test]
fn one_id_in_two_services() {
    case!(
        "Methods of two services may have the same id, and a method that of a service.",
        || {
            for [one, other] in PAIRS {
                let table = table(&[("Greeter", one, 1), ("Clock", other, 1), (one, other, 1)]);
                for (service, method) in [("Greeter", one), ("Clock", other), (one, other)] {
                    let expected = format!("{service}.{method} 1");
                    expect_found(&table, (service, method, 1), Ok(&expected));
                }
            }
        }
    );
}

#[test]
fn what_is_refused_leaves_nothing() {
    case!(
        "What was refused has left nothing: the table is as it was.",
        || {
            for [one, other] in PAIRS {
                let mut table = table(&[("Greeter", one, 1), (one, "greet", 1)]);
                let _ = add(&mut table, "Greeter", other, 2);
                let _ = add(&mut table, other, "part", 1);
                let _ = add(&mut table, other, "greet", 2);
                expect_found(&table, ("Greeter", one, 1), Ok(&format!("Greeter.{one} 1")));
                expect_found(&table, ("Greeter", one, 2), Err(Error::BadRequest));
                expect_found(&table, (one, "greet", 1), Ok(&format!("{one}.greet 1")));
                expect_found(&table, (one, "greet", 2), Err(Error::BadRequest));
                expect_found(&table, (one, "part", 1), Err(Error::NoMethod));
                expect_eq("add what it may", add(&mut table, one, "part", 1), Ok(()));
            }
        }
    );
}

/// What a table must know, the slow way: a list with all names.
#[derive(Default)]
struct Model {
    known: Vec<(&'static str, &'static str, u8)>,
}

impl Model {
    fn add(
        &mut self,
        service: &'static str,
        method: &'static str,
        codec: u8,
    ) -> Result<(), Duplicate> {
        let of_service = |known: &&(&str, &str, u8)| name_id(known.0) == name_id(service);
        let mut services = self.known.iter().filter(of_service);
        if let Some((there, ..)) = services.clone().find(|(there, ..)| *there != service) {
            return Err(Duplicate(there, service));
        }
        let of_method = |known: &&(&str, &str, u8)| name_id(known.1) == name_id(method);
        let mut methods = services.clone().filter(of_method);
        if let Some((_, there, _)) = methods.find(|(_, there, _)| *there != method) {
            return Err(Duplicate(there, method));
        }
        if services.any(|known| *known == (service, method, codec)) {
            return Err(Duplicate(method, method));
        }
        self.known.push((service, method, codec));
        Ok(())
    }

    fn find(&self, target: Target) -> Result<String, Error> {
        let services = self
            .known
            .iter()
            .filter(|known| name_id(known.0) == target.service);
        let mut methods = services
            .clone()
            .filter(|known| name_id(known.1) == target.method);
        if services.count() == 0 {
            return Err(Error::NoProvider);
        }
        if methods.clone().count() == 0 {
            return Err(Error::NoMethod);
        }
        let found = methods.find(|known| known.2 == target.codec);
        let (service, method, codec) = found.ok_or(Error::BadRequest)?;
        Ok(format!("{service}.{method} {codec}"))
    }
}

#[test]
fn three_hundred_tables() {
    case!(
        "Whatever is added, in whatever order, calls find what a list of all names would.",
        || {
            for seed in 0..300 {
                random_table(seed);
            }
        }
    );
}

fn random_table(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let names = ["greet", "part"]
        .into_iter()
        .chain(PAIRS[0])
        .chain(PAIRS[1]);
    let names: Vec<_> = names.collect();
    let (mut table, mut model) = (DispatchTable::default(), Model::default());
    let mut story = String::new();
    for _ in 0..12 {
        let [service, method] = [(); 2].map(|()| names[random.usize(..names.len())]);
        let codec = random.u8(1..4);
        story += &format!("\n               {service}.{method} with codec {codec}");
        let got = add(&mut table, service, method, codec);
        let expected = model.add(service, method, codec);
        expect_eq(
            &format!("the last one, after adding:{story}"),
            got,
            expected,
        );
        for (service, method, codec) in every_call(&names) {
            let target = target(service, method, codec);
            let (got, expected) = (table.find(target).cloned(), model.find(target));
            if got != expected {
                let call = format!("a call for {service}.{method} with codec {codec}");
                expect_eq(&format!("{call}, after adding:{story}"), got, expected);
            }
        }
    }
}

fn every_call<'a>(names: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str, u8)> {
    let methods = names
        .iter()
        .flat_map(move |service| names.iter().map(move |method| (*service, *method)));
    methods.flat_map(|(service, method)| (1..4).map(move |codec| (service, method, codec)))
}
