//! Histories of a connection: one that is given, every short one, long random ones.

use std::fmt::Write as _;

use spec_harness::fail;

use super::expected::Expected;
use super::part::Order;
use super::play::Play;
use super::scene::{End, Event, Kind, Lost, PIECES, Scene, Seen};

/// Where a history went wrong.
struct Difference {
    /// After how many of its events.
    events: usize,
    expected: String,
    got: String,
}

/// When the loop gets time to finish what an event set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// After each event.
    One,
    /// After the first event, and then after each second one.
    Odd,
    /// After each second event.
    Even,
}

/// Plays `history`, and checks after each event what can be seen.
pub(super) fn expect_history(scene: &Scene, history: &[Event]) {
    with_runtime(async {
        for length in 1..=history.len() {
            let history = &history[..length];
            if let Err(difference) = play(scene, history, Pace::One).await {
                report(scene, history, Pace::One, &difference);
            }
        }
    });
}

/// Plays every history of at most `length_max` events; at another pace than
/// [`Pace::One`] those in which the order of what happens at once does not matter.
///
/// A failure shows the shortest one that fails.
pub(super) fn expect_every_history(scene: &Scene, among: &[Event], length_max: usize, pace: Pace) {
    with_runtime(async {
        let mut history = Vec::new();
        while next_history(scene, among, length_max, &mut history) {
            if play(scene, &history, pace).await.is_err() {
                report_shortest(scene, among, pace).await;
            }
        }
    });
}

/// Plays a random history of at most `length` events.
///
/// A failure leaves out every event that it does not need.
pub(super) fn expect_random_history(
    scene: &Scene,
    among: &[Event],
    length: usize,
    random: &mut fastrand::Rng,
) {
    let mut history = Vec::new();
    let mut expected = Expected::new(scene);
    for _ in 0..length {
        let possible = expected.possible(among);
        let Some(event) = random.choice(possible) else {
            break;
        };
        expected.after(event);
        history.push(event);
    }
    with_runtime(async {
        if play(scene, &history, Pace::One).await.is_ok() {
            return;
        }
        let mut index = 0;
        while index < history.len() {
            let mut shorter = history.clone();
            shorter.remove(index);
            match play(scene, &possible_part(scene, among, &shorter), Pace::One).await {
                Ok(()) => index += 1,
                Err(_) => history = possible_part(scene, among, &shorter),
            }
        }
        if let Err(difference) = play(scene, &history, Pace::One).await {
            report(scene, &history, Pace::One, &difference);
        }
    });
}

/// `history` without the events that cannot happen.
fn possible_part(scene: &Scene, among: &[Event], history: &[Event]) -> Vec<Event> {
    let mut expected = Expected::new(scene);
    let mut part = Vec::new();
    for event in history {
        if expected.possible(among).contains(event) {
            expected.after(*event);
            part.push(*event);
        }
    }
    part
}

/// The history behind `history` that is as long as can be, in the order of a
/// search into the depth; `false` when there is none. The first one is behind the empty one.
fn next_history(scene: &Scene, among: &[Event], length: usize, history: &mut Vec<Event>) -> bool {
    let mut models = vec![Expected::new(scene)];
    for event in &*history {
        let mut next = models[models.len() - 1].clone();
        next.after(*event);
        models.push(next);
    }
    if !history.is_empty() {
        loop {
            models.pop();
            let (Some(last), Some(model)) = (history.pop(), models.last()) else {
                return false;
            };
            let possible = model.possible(among);
            let place = possible.iter().position(|event| *event == last);
            if let Some(event) = place.and_then(|place| possible.get(place + 1)) {
                push(&mut models, history, *event);
                break;
            }
        }
    }
    while history.len() < length {
        let Some(event) = models[models.len() - 1].possible(among).first().copied() else {
            break;
        };
        push(&mut models, history, event);
    }
    !history.is_empty()
}

fn push(models: &mut Vec<Expected>, history: &mut Vec<Event>, event: Event) {
    let mut next = models[models.len() - 1].clone();
    next.after(event);
    models.push(next);
    history.push(event);
}

async fn report_shortest(scene: &Scene, among: &[Event], pace: Pace) {
    for length in 1.. {
        let mut history = Vec::new();
        while next_history(scene, among, length, &mut history) {
            if let Err(difference) = play(scene, &history, pace).await {
                report(scene, &history, pace, &difference);
            }
        }
    }
}

async fn play(scene: &Scene, history: &[Event], pace: Pace) -> Result<(), Difference> {
    let mut play = Play::new(scene);
    let mut expected = Expected::new(scene);
    compare(0, &Seen::default(), play.settle().await)?;
    for (index, event) in history.iter().enumerate() {
        play.act(*event);
        let expected = expected.after(*event);
        if is_settled(index, pace) || index + 1 == history.len() {
            compare(index + 1, expected, play.settle().await)?;
        } else {
            play.poll_once();
        }
    }
    Ok(())
}

/// Whether the loop gets time after the event at `index`.
fn is_settled(index: usize, pace: Pace) -> bool {
    match pace {
        Pace::One => true,
        Pace::Odd => index.is_multiple_of(2),
        Pace::Even => !index.is_multiple_of(2),
    }
}

/// Compares what was seen after so many `events` with what was `expected`.
fn compare(events: usize, expected: &Seen, seen: Result<Seen, String>) -> Result<(), Difference> {
    let got = match seen {
        Ok(seen) if seen == *expected => return Ok(()),
        Ok(seen) => describe(&seen),
        Err(wrong) => wrong,
    };
    Err(Difference {
        events,
        expected: describe(expected),
        got,
    })
}

/// Shows the events up to the one after which something else was seen.
fn report(scene: &Scene, history: &[Event], pace: Pace, difference: &Difference) {
    let order = match scene.order {
        Order::AsRequested => "as requested",
        Order::AsReady => "as ready",
    };
    let mut what = format!("answers {order}, at most {} pending", scene.pending_max);
    let mut model = Expected::new(scene);
    if difference.events == 0 {
        what.push_str("\n             · nothing has happened yet");
    }
    for (index, event) in history[..difference.events].iter().enumerate() {
        let is_at_once = index > 0 && !is_settled(index - 1, pace);
        let at_once = if is_at_once { "at once: " } else { "" };
        let _ = write!(
            what,
            "\n             · {at_once}{}",
            in_words(scene, &model, *event)
        );
        model.after(*event);
    }
    fail(&what, &difference.expected, &difference.got);
}

/// What happens, in words; `model` is as it was before.
fn in_words(scene: &Scene, model: &Expected, event: Event) -> String {
    match event {
        Event::Half => format!("half of request #{} arrives", model.arrived()),
        Event::Arrives => {
            let number = model.arrived();
            let effect = match scene.effects_at_once {
                true => "as it begins",
                false => "later",
            };
            let answer = match scene.kinds[number] {
                Kind::Now => "answered then",
                Kind::Later => "answered later",
                Kind::Silence => "never answered",
                Kind::Close => "answered with Close",
            };
            format!("request #{number} arrives (takes effect {effect}, {answer})")
        }
        Event::Effect => match model.being_begun() {
            Some(number) => format!("request #{number} has taken effect"),
            None => "a request has taken effect".to_owned(),
        },
        Event::Ready(number) => format!("answer #{number} is ready"),
        Event::Take => "the writer takes half an answer".to_owned(),
        Event::WriterFails => "the writer fails".to_owned(),
        Event::Closes => "the peer closes".to_owned(),
        Event::Breaks => "the connection breaks".to_owned(),
        Event::Stop => "stop".to_owned(),
    }
}

fn describe(seen: &Seen) -> String {
    let list = |numbers: Vec<String>| match numbers.len() {
        0 => "none".to_owned(),
        _ => numbers.join(" "),
    };
    let begun = (0..seen.begun).map(|number| format!("#{number}")).collect();
    let waiting = seen
        .waiting
        .iter()
        .map(|number| format!("#{number}"))
        .collect();
    let mut written: Vec<String> = Vec::new();
    for pieces in seen.written.chunk_by(|a, b| a == b) {
        let half = if pieces.len() < PIECES {
            "half of "
        } else {
            ""
        };
        written.push(format!("{half}#{}", pieces[0]));
    }
    let end = match seen.end {
        None => "it goes on".to_owned(),
        Some(End::Read(Lost::InsideARequest)) => "ended: Read, inside a request".to_owned(),
        Some(End::Read(Lost::Broken)) => "ended: Read, the connection is broken".to_owned(),
        Some(End::Read(Lost::Silent)) => "ended: Read, the peer was silent".to_owned(),
        Some(other) => format!("ended: {other:?}"),
    };
    format!(
        "requests begun: {}\nanswers waited for: {}\nanswers written: {}\n{end}",
        list(begun),
        list(waiting),
        list(written)
    )
}

/// Runs `work` on a clock that stands still.
pub(super) fn with_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built")
        .block_on(work)
}
