//! One record for each of two partitions, and a crash at every point: how often is one of them
//! there alone?

mod machine;

use machine::{Entry, Machine};

/// How often the crash leaves both records, neither, and one alone.
#[derive(Default)]
struct Found {
    both: u32,
    neither: u32,
    alone: u32,
}

type Step = fn(&mut Machine);

/// The program writes to one partition, then to the other.
const TWO_WRITES: [Step; 2] = [
    |machine| machine.write(0, 'a'),
    |machine| machine.write(1, 'b'),
];

/// It writes to both, and then a marker in each says that the record counts.
const MARKERS_ALONE: [Step; 4] = [
    |machine| machine.write(0, 'a'),
    |machine| machine.write(1, 'b'),
    |machine| commit_in(machine, 0),
    |machine| commit_in(machine, 1),
];

/// The same with this chapter's coordinator. Each `work` is one thing that it has asked for: a
/// store, telling the partitions, a marker.
const COORDINATOR: [Step; 12] = [
    Machine::init,
    work,
    Machine::add_both,
    work,
    work,
    |machine| machine.write(0, 'a'),
    |machine| machine.write(1, 'b'),
    Machine::commit,
    work,
    work,
    work,
    work,
];

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("two records, one for each of two partitions; everything crashes at one point,");
    println!("starts again, and what is still open is aborted\n");
    println!("                                  crashes   both   neither   one alone");
    row("two writes", &TWO_WRITES, |machine, index| {
        machine.logs[index].contains(&Entry::Record(record(index)))
    });
    row("two writes, then two markers", &MARKERS_ALONE, is_committed);
    row("the decision, then two markers", &COORDINATOR, is_committed);
}

#[expect(clippy::print_stdout, reason = "an example prints")]
/// Crashes before the first step, behind each, and prints what is there in the end.
fn row(name: &str, steps: &[Step], is_there: fn(&Machine, usize) -> bool) {
    let mut found = Found::default();
    for crash in 0..=steps.len() {
        let mut machine = Machine::new();
        for step in &steps[..crash] {
            step(&mut machine);
        }
        machine.crash();
        comes_back(&mut machine);
        match (is_there(&machine, 0), is_there(&machine, 1)) {
            (true, true) => found.both += 1,
            (false, false) => found.neither += 1,
            _ => found.alone += 1,
        }
    }
    let crashes = steps.len() + 1;
    let Found {
        both,
        neither,
        alone,
    } = found;
    println!("{name:<34}{crashes:>7}{both:>7}{neither:>10}{alone:>12}");
}

/// A new process asks for its epoch, until it has one.
fn comes_back(machine: &mut Machine) {
    for _ in 0..10 {
        machine.init();
        machine.settle();
        if machine.is_told() {
            return;
        }
    }
    panic!("the new process gets no epoch");
}

fn is_committed(machine: &Machine, index: usize) -> bool {
    machine.committed(index).contains(record(index))
}

fn record(index: usize) -> char {
    ['a', 'b'][index]
}

fn commit_in(machine: &mut Machine, index: usize) {
    machine.logs[index].push(Entry::Marker(exactly_once::Outcome::Commit));
}

fn work(machine: &mut Machine) {
    let done = machine.work();
    assert!(done.is_some(), "the coordinator has asked for something");
}
