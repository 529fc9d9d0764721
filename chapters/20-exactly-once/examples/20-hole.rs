//! An EndTxn that the network delays: what does it end?
//!
//! A producer commits a transaction. It has sent that call twice, because the first copy did not
//! seem to arrive. Now the copy arrives, in the middle of the next transaction.

#[expect(dead_code, reason = "four examples share it")]
mod machine;

use exactly_once::Outcome;
use machine::Machine;

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!(
        "a transaction writes a and b, and commits; the next one writes c, and is to write d;"
    );
    println!("a late copy of the first commit arrives; then the producer aborts\n");
    println!(
        "                                the late copy   the abort                 readers get"
    );
    row("one epoch for all", false);
    row("an epoch for each transaction", true);
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn row(name: &str, has_epochs: bool) {
    let mut machine = Machine::new();
    machine.init();
    machine.settle();
    let first = machine.producer();
    begin(&mut machine);
    machine.write(0, 'a');
    machine.write(1, 'b');
    end(&mut machine, first, Outcome::Commit);
    if has_epochs {
        machine.init_behind(Some(first));
        machine.settle();
    }
    let second = machine.producer();
    begin(&mut machine);
    machine.write(0, 'c');
    let late = end(&mut machine, first, Outcome::Commit);
    let abort = end(&mut machine, second, Outcome::Abort);
    let [zero, one] = [0, 1].map(|index| machine.committed(index));
    println!("{name:<32}{late:<16}{abort:<26}{zero} and {one}");
}

fn begin(machine: &mut Machine) {
    machine.add_both();
    machine.settle();
}

/// Returns what the call is answered.
fn end(machine: &mut Machine, producer: exactly_once::Instance, outcome: Outcome) -> String {
    machine.end(producer, outcome);
    machine.settle();
    match machine.answer {
        Some(Ok(_)) => "done".to_owned(),
        Some(Err(refusal)) => format!("{refusal:?}"),
        None => "no answer".to_owned(),
    }
}
