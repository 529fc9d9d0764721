//! One connection with room for one call, two callers, and everything that can happen to
//! their calls, as the trace of a figure: `book/src/traces/03-one-call.json`.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::Moment;
use networking::{CallId, Effect, Ended, Event, InFlight};
use serde_json::{Value, json};

/// How many calls may be in flight.
const LIMIT: usize = 1;
/// How long a caller waits for its reply.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Caller {
    Anna,
    Ben,
}

/// What the reader can let happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Move {
    Call(Caller),
    Reply(i32),
    /// The patience of whoever waits runs out.
    Wait,
    Cancel(Caller),
    Close,
}

impl Move {
    fn name(self) -> String {
        match self {
            Move::Call(caller) => format!("call {caller:?}"),
            Move::Reply(id) => format!("reply {id}"),
            Move::Wait => "wait".to_owned(),
            Move::Cancel(caller) => format!("cancel {caller:?}"),
            Move::Close => "close".to_owned(),
        }
    }
}

/// How far the call of one caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    NotMade,
    Waits(CallId),
    Ended(Option<CallId>, Ended),
}

impl Call {
    /// The id under which it was sent.
    fn id(self) -> Option<CallId> {
        match self {
            Call::NotMade => None,
            Call::Waits(id) => Some(id),
            Call::Ended(id, _) => id,
        }
    }
}

/// The map after some moves.
struct Run {
    map: InFlight<Caller>,
    now: Moment,
    calls: BTreeMap<Caller, Call>,
    is_closed: bool,
    /// The last move, and what the map said to it.
    last: Option<(Move, Vec<Effect<Caller>>)>,
}

impl Run {
    fn of(moves: &[Move]) -> Run {
        let mut run = Run {
            map: InFlight::new(LIMIT),
            now: Moment::START,
            calls: [Caller::Anna, Caller::Ben]
                .map(|caller| (caller, Call::NotMade))
                .into(),
            is_closed: false,
            last: None,
        };
        for next in moves {
            run.make(*next);
        }
        run
    }

    fn make(&mut self, next: Move) {
        let event = match next {
            Move::Call(waiter) => Event::Call {
                deadline: self.now.plus(PATIENCE),
                waiter,
            },
            Move::Reply(id) => Event::Reply(CallId(id)),
            Move::Wait => {
                self.now = self.now.plus(PATIENCE);
                Event::Tick
            }
            Move::Cancel(caller) => {
                let id = self.calls[&caller].id();
                Event::Cancel(id.expect("only a call that waits is taken back"))
            }
            Move::Close => Event::Close,
        };
        self.is_closed |= next == Move::Close;
        let effects = self.map.step(self.now, event);
        for effect in &effects {
            match (effect, next) {
                (Effect::Send(id), Move::Call(caller)) => {
                    self.calls.insert(caller, Call::Waits(*id));
                }
                (Effect::Send(_), _) => unreachable!("only a call is sent"),
                (Effect::End(caller, how), _) => {
                    let id = self.calls[caller].id();
                    self.calls.insert(*caller, Call::Ended(id, *how));
                }
            }
        }
        self.last = Some((next, effects));
    }

    /// What can happen now. Ben calls after Anna; a peer may reply late, and more than once.
    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        let (anna, ben) = (self.calls[&Caller::Anna], self.calls[&Caller::Ben]);
        if anna == Call::NotMade {
            return vec![Move::Call(Caller::Anna)];
        }
        if ben == Call::NotMade {
            moves.push(Move::Call(Caller::Ben));
        }
        for (caller, call) in &self.calls {
            if matches!(call, Call::Waits(_)) {
                moves.push(Move::Cancel(*caller));
                moves.push(Move::Wait);
            }
        }
        if !self.is_closed {
            let sent = [anna, ben].into_iter().filter_map(Call::id);
            moves.extend(sent.map(|id| Move::Reply(id.0)));
            moves.push(Move::Close);
        }
        moves
    }

    /// What the last move came to.
    fn verdict(&self) -> String {
        match &self.last {
            None => "start".to_owned(),
            Some((Move::Call(_), effects)) if self.is_closed => {
                assert!(matches!(effects[..], [Effect::End(_, Ended::Closed)]));
                "too late".to_owned()
            }
            Some((_, effects)) => match effects.first() {
                Some(Effect::Send(_)) => "sent".to_owned(),
                Some(Effect::End(_, how)) => format!("{how:?}"),
                None if self.is_closed => "closed empty".to_owned(),
                None if self.map.is_empty() => "dropped".to_owned(),
                None => "dropped beside".to_owned(),
            },
        }
    }

    fn is(&self) -> Value {
        let said = self.last.iter().flat_map(|(_, effects)| effects);
        let said = said.map(|effect| match effect {
            Effect::Send(id) => format!("Send({})", id.0),
            Effect::End(caller, how) => format!("End({caller:?}, {how:?})"),
        });
        let waiting = self.calls.iter().filter_map(|(caller, call)| match call {
            Call::Waits(id) => Some(format!("{} {caller:?}", id.0)),
            _ => None,
        });
        let in_flight: Vec<_> = waiting.collect();
        assert_eq!(in_flight.len(), self.map.len());
        json!({
            "says": said.collect::<Vec<_>>(),
            "map": in_flight,
            "verdict": self.verdict(),
        })
    }

    /// Equal for runs after which the same is seen and can happen.
    fn key(&self) -> String {
        format!("{:?} {} {}", self.calls, self.is_closed, self.is())
    }
}

pub(crate) fn trace() -> Value {
    let mut names = BTreeMap::from([(Run::of(&[]).key(), 0)]);
    let mut paths = vec![vec![]];
    let mut states = serde_json::Map::new();
    let mut next = 0;
    while next < paths.len() {
        let path = paths[next].clone();
        let run = Run::of(&path);
        let mut moves = serde_json::Map::new();
        for made in run.moves() {
            let mut longer = path.clone();
            longer.push(made);
            let number = *names.entry(Run::of(&longer).key()).or_insert(paths.len());
            if number == paths.len() {
                paths.push(longer);
            }
            moves.insert(made.name(), json!(number.to_string()));
        }
        let state = json!({ "is": run.is(), "moves": moves });
        states.insert(next.to_string(), state);
        next += 1;
    }
    json!({ "starts": { "": "0" }, "states": states })
}

fn main() {
    println!("{}", trace());
}
