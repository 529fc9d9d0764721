//! The cases of a spec: which there are, and what comes of running them.
//!
//! # Invariants
//! - Each case runs as a process of its own: one that hangs, aborts or eats
//!   memory ends itself only.
//! - Cases are in the order of the spec's text: its author begins with the simple ones.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::holes::TaskId;
use crate::process;

/// A case that takes longer is cut off. The harness gives up on its own before.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);
/// One allocation of so many bytes is no growth: it was asked for.
const ASKED_AT_ONCE: u64 = 1 << 30;
/// Tells the harness to say a case's goal on standard error before it runs, and the holes
/// that it has entered when it has passed.
const ANNOUNCE: &str = "SPEC_ANNOUNCE";
/// Tells the harness which variant of the part to run.
const VARIANT: &str = "SPEC_VARIANT";
/// How the harness, too, says it.
const HANGS: &str = "it did not end";
/// How the report of a case begins that was left out behind one that hangs.
const NOT_RUN: &str = "not run, because";
/// How many cases run at a time: some of them wait.
const AT_A_TIME: usize = 4;
/// The module of a test binary that has the cases.
const MODULE: &str = "spec::";

/// The variant of a part that is its text as it is; a learner's part has no other.
pub const SOLUTION: u32 = 0;

/// One case of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `task_1::between_two_entries`.
    pub name: String,
    /// The number of its task in the chapter; 0 if it is in none.
    pub task: u32,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which one.
    pub case: Case,
    /// Why it is red; `None` if it is green.
    pub failure: Option<Failure>,
    /// A bit for each hole that it has entered; `None` if that is not known.
    pub entered: Option<u64>,
}

/// Why a case is red.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The message that teaches.
    pub message: String,
    /// What the part printed meanwhile.
    pub printed: String,
}

impl Case {
    fn new(name: &str) -> Case {
        let task = name
            .strip_prefix("task_")
            .and_then(|rest| rest.split("::").next()?.parse().ok());
        Case {
            name: name.to_owned(),
            task: task.unwrap_or(0),
        }
    }

    /// The task's name in the chapter with this number.
    #[must_use]
    pub fn task_id(&self, chapter: &str) -> TaskId {
        TaskId {
            chapter: chapter.to_owned(),
            number: self.task,
        }
    }
}

/// The cases of a test binary, in the order of the spec's text in `folder`.
///
/// # Errors
/// When the binary cannot be run.
pub fn cases(binary: &Path, folder: &Path) -> Result<Vec<Case>> {
    let output = Command::new(binary)
        .args(["--list", "--format", "terse"])
        .output()
        .with_context(|| format!("running {}", binary.display()))?;
    ensure!(
        output.status.success(),
        "{} lists no cases",
        binary.display()
    );
    let mut cases: Vec<Case> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.strip_suffix(": test")?.strip_prefix(MODULE))
        .map(Case::new)
        .collect();
    cases.sort_by_cached_key(|case| (case.task, places(folder, &case.name)));
    Ok(cases)
}

/// Where the text of a case is: in the file of its task, or where that file names its
/// module, and then where in the module's.
fn places(folder: &Path, case: &str) -> Vec<Option<usize>> {
    let (task, rest) = case.split_once("::").unwrap_or((case, ""));
    let mut file = folder.join(task);
    let mut places = Vec::new();
    let mut segments = rest.split("::").peekable();
    while let Some(segment) = segments.next() {
        let wanted = match segments.peek() {
            Some(_) => format!("mod {segment};"),
            None => format!("fn {segment}("),
        };
        let text = std::fs::read_to_string(file.with_extension("rs"));
        places.push(text.ok().and_then(|text| text.find(&wanted)));
        file.push(segment);
    }
    places
}

/// Runs the cases, some at a time; the verdicts come in the order of the cases.
/// Once one hangs, those behind it are red without being run: where one loop does
/// not end, most do not, and each would take its whole time.
///
/// # Errors
/// When the binary cannot be run.
pub fn run(binary: &Path, cases: &[Case]) -> Result<Vec<Verdict>> {
    let mut verdicts = run_variants(binary, &[(SOLUTION, cases.to_vec())])?;
    Ok(verdicts.pop().unwrap_or_default())
}

/// Runs on each variant of the part the cases beside it, as [`run`] does on one.
///
/// # Errors
/// When the binary cannot be run.
pub fn run_variants(binary: &Path, wanted: &[(u32, Vec<Case>)]) -> Result<Vec<Vec<Verdict>>> {
    let runs = wanted.iter().map(|(variant, _)| Run::new(*variant));
    let runs: Vec<_> = runs.collect();
    let jobs = runs.iter().zip(wanted).flat_map(|(run, (_, cases))| {
        let cases = cases.iter().enumerate();
        cases.map(move |(index, case)| (run, index, case))
    });
    let queue = Mutex::new(jobs);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    loop {
                        // Not in the `match`: there the lock would be held while the case runs.
                        let next = lock(&queue).next();
                        match next {
                            Some((run, index, case)) => run.add(binary, index, case)?,
                            None => return Ok(()),
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    let runs = runs.into_iter().zip(wanted);
    Ok(runs.map(|(run, (_, cases))| run.verdicts(cases)).collect())
}

/// Which holes a case that passed has entered, as in [`Verdict::entered`]; or why it is red.
type RunResult = Result<Option<u64>, Failure>;

/// The cases on one variant.
struct Run {
    variant: u32,
    /// A case that does not end.
    hanging: Mutex<Option<String>>,
    results: Mutex<Vec<(usize, RunResult)>>,
}

impl Run {
    fn new(variant: u32) -> Run {
        Run {
            variant,
            hanging: Mutex::new(None),
            results: Mutex::new(Vec::new()),
        }
    }

    fn add(&self, binary: &Path, index: usize, case: &Case) -> Result<()> {
        let hangs = lock(&self.hanging).clone();
        let result = match hangs {
            Some(name) => Err(not_run(case, &name)),
            None => run_one(binary, case, self.variant)?,
        };
        if result.as_ref().is_err_and(Failure::hung) {
            *lock(&self.hanging) = Some(case.name.clone());
        }
        lock(&self.results).push((index, result));
        Ok(())
    }

    fn verdicts(self, cases: &[Case]) -> Vec<Verdict> {
        let results = self.results.into_inner();
        let mut results = results.unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(index, _)| *index);
        let with_case = |(index, result): (usize, RunResult)| Verdict {
            case: cases[index].clone(),
            entered: result.as_ref().ok().copied().flatten(),
            failure: result.err(),
        };
        results.into_iter().map(with_case).collect()
    }
}

fn not_run(case: &Case, hanging: &str) -> Failure {
    let problem = format!("{NOT_RUN} {hanging} does not end");
    without_message(case, &problem, "", "")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_one(binary: &Path, case: &Case, variant: u32) -> Result<RunResult> {
    let run = |backtrace: &str| {
        let mut command = Command::new(binary);
        command
            .arg("--exact")
            .arg(format!("{MODULE}{}", case.name))
            .arg("--test-threads=1")
            .env("RUST_BACKTRACE", backtrace)
            .env(ANNOUNCE, "1")
            .env(VARIANT, variant.to_string());
        process::run(&mut command, TIME_LIMIT)
            .with_context(|| format!("running {}", binary.display()))
    };
    let Some(ended) = run("0")? else {
        return Ok(Err(without_message(case, HANGS, "", "")));
    };
    if ended.success {
        return Ok(Ok(entered(&ended.stderr)));
    }
    let captured = captured(&ended.stdout, case);
    Ok(Err(match split_message(&captured) {
        Some((printed, message)) => Failure {
            message: message.to_owned(),
            printed: printed.trim().to_owned(),
        },
        None => {
            let problem = match out_of_memory(&ended.stderr) {
                // Only a backtrace says who asked.
                Some(problem) => match run("1")? {
                    Some(again) => problem + &place_in_part(&again.stderr),
                    None => problem,
                },
                None => abnormal_end(&ended.stderr),
            };
            without_message(case, &problem, &ended.stderr, captured.trim())
        }
    }))
}

/// Which holes the harness says that the case has entered.
fn entered(stderr: &str) -> Option<u64> {
    let line = stderr.lines().find_map(|line| line.strip_prefix("holes "));
    u64::from_str_radix(line?, 16).ok()
}

/// What libtest captured of the case: the part's prints, then the harness' message.
fn captured(stdout: &str, case: &Case) -> String {
    let begin = format!("---- {MODULE}{} stdout ----\n", case.name);
    let Some(at) = stdout.find(&begin) else {
        return String::new();
    };
    let text = &stdout[at + begin.len()..];
    let end = text.rfind("\n\nfailures:\n").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The harness' message is the last thing that is said.
fn split_message(captured: &str) -> Option<(&str, &str)> {
    let at = match captured.rfind("\ntask ") {
        Some(at) => at + 1,
        None if captured.starts_with("task ") => 0,
        None => return None,
    };
    Some((&captured[..at], captured[at..].trim_end()))
}

/// What to say of a process that could not have the memory that it asked for.
fn out_of_memory(stderr: &str) -> Option<String> {
    let (_, behind) = stderr.split_once("memory allocation of ")?;
    let bytes: u64 = behind.split(' ').next()?.parse().ok()?;
    Some(if bytes < ASKED_AT_ONCE {
        "your code ran out of memory: something grows without a bound?".to_owned()
    } else {
        format!("your code asked for {bytes} bytes at once: was a length believed that came in?")
    })
}

/// The first place in the learner's part that a backtrace names, as a line of a message.
fn place_in_part(backtrace: &str) -> String {
    let places = backtrace
        .lines()
        .filter_map(|line| line.trim().strip_prefix("at "));
    let mut in_part = places.filter_map(|place| {
        let at = place
            .rfind("exercises/")
            .filter(|_| place.contains("/src/"))?;
        Some(format!("\n  where      {}", &place[at..]))
    });
    in_part.next().unwrap_or_default()
}

fn abnormal_end(stderr: &str) -> String {
    if stderr.contains("has overflowed its stack") {
        return "your code overflowed the stack: a recursion that does not end?".to_owned();
    }
    let mut lines = stderr.lines().filter(|line| !line.starts_with("task "));
    let last = lines.rfind(|line| !line.trim().is_empty());
    format!(
        "the process of this case ended early: {}",
        last.unwrap_or("it said nothing")
    )
}

/// A message in the harness' form, for a case that could not write one. What it
/// announced on `stderr` is its first line.
fn without_message(case: &Case, problem: &str, stderr: &str, printed: &str) -> Failure {
    let function = case.name.rsplit("::").next().unwrap_or_default();
    let announced = stderr.lines().find(|line| line.starts_with("task "));
    let title = announced.map_or_else(|| function.replace('_', " "), str::to_owned);
    Failure {
        message: format!("{title}\n  problem    {problem}"),
        printed: printed.to_owned(),
    }
}

impl Failure {
    /// Whether the case did not end by itself in time.
    #[must_use]
    pub fn hung(&self) -> bool {
        self.message.contains(&format!("  problem    {HANGS}"))
    }

    /// Whether the case was left out, behind one that hangs.
    #[must_use]
    pub fn was_not_run(&self) -> bool {
        self.message.contains(&format!("  problem    {NOT_RUN}"))
    }
}
