//! One member, told one thing after the other; what it asks for, in words.

use std::collections::BTreeSet;
use std::time::Duration;

use message_model::Moment;
use spec_harness::{expect_eq, fail};

use super::part::{Effect, Event, Joined, MemberSettings, Membership, Problem, Ticket};
use super::world::settings;

/// The tickets that the member has given out last, of each kind.
#[derive(Default)]
struct Tickets {
    join: Ticket,
    sync: Ticket,
    heartbeat: Ticket,
    callback: Ticket,
}

pub(super) struct Script {
    pub(super) member: Membership<u8>,
    now: Moment,
    tickets: Tickets,
    /// What was told last, in words.
    last: String,
}

/// What is told; the tickets are the last ones.
pub(super) enum Told<'a> {
    Rejoin,
    Polled,
    /// The id and the generation; the member leads if its name ends with `!`.
    Joined(&'a str, i32),
    JoinRefused(Problem),
    Synced(&'a [u8]),
    SyncRefused(Problem),
    Alive,
    HeartbeatRefused(Problem),
    CommitRefused(i32, Problem),
    CalledBack,
    Close,
    /// So many milliseconds after the start it is now.
    At(u64),
}

impl Script {
    pub(super) fn eager() -> Script {
        Script::new(settings(false, false))
    }

    pub(super) fn cooperative() -> Script {
        Script::new(settings(true, false))
    }

    pub(super) fn eager_static() -> Script {
        Script::new(settings(false, true))
    }

    fn new(settings: MemberSettings) -> Script {
        Script {
            member: Membership::new(Moment::START, settings),
            now: Moment::START,
            tickets: Tickets::default(),
            last: "nothing".to_owned(),
        }
    }

    /// Joins as `m` in generation 1 with these partitions; all is answered at once.
    pub(super) fn with(mut self, share: &[u8]) -> Script {
        self.tell(Told::Rejoin, "join as '' with [] of -1");
        self.tell(Told::Joined("m", 1), "sync m 1");
        self.tell(Told::Synced(share), &format!("assign {share:?}"));
        self.tell(Told::CalledBack, "");
        self
    }

    /// Tells the member something, and checks what it asks for then: in words, one after
    /// the other, with commas between.
    pub(super) fn tell(&mut self, told: Told<'_>, expected: &str) {
        let name = name(&told);
        let event = self.event(told);
        self.tell_event(&name, event, expected);
    }

    /// The same with an event of an earlier ticket.
    pub(super) fn tell_event(&mut self, name: &str, event: Event<u8>, expected: &str) {
        name.clone_into(&mut self.last);
        let effects = self.member.step(self.now, event);
        let words: Vec<String> = effects.iter().map(|effect| self.words(effect)).collect();
        let got = words.join(", ");
        if got != expected {
            let shown = |text: &str| {
                if text.is_empty() {
                    "nothing".to_owned()
                } else {
                    text.to_owned()
                }
            };
            fail(
                &format!("what the member asks for after: {name}"),
                &shown(expected),
                &shown(&got),
            );
        }
    }

    pub(super) fn expect_owned(&self, expected: &[u8]) {
        let owned: Vec<u8> = self.member.owned().iter().copied().collect();
        let what = format!("owned(), after: {}", self.last);
        expect_eq(&what, owned.as_slice(), expected);
    }

    /// The milliseconds at which the member wants to be told the time.
    pub(super) fn expect_deadline(&self, expected: Option<u64>) {
        let deadline = self.member.next_deadline();
        let millis = deadline.map(|deadline| deadline.since(Moment::START).as_millis());
        let what = format!("next_deadline(), in ms, after: {}", self.last);
        expect_eq(&what, millis, expected.map(u128::from));
    }

    /// The id and the generation that a commit names.
    pub(super) fn expect_identity(&self, id: &str, generation: i32) {
        let what = format!("identity(), after: {}", self.last);
        expect_eq(&what, self.member.identity(), (id, generation));
    }

    /// The ticket of the JoinGroup that was asked for last.
    pub(super) fn join_ticket(&self) -> Ticket {
        self.tickets.join
    }

    /// The ticket of the SyncGroup that was asked for last.
    pub(super) fn sync_ticket(&self) -> Ticket {
        self.tickets.sync
    }

    /// The ticket of the heartbeat that was asked for last.
    pub(super) fn heartbeat_ticket(&self) -> Ticket {
        self.tickets.heartbeat
    }

    fn event(&mut self, told: Told<'_>) -> Event<u8> {
        let Tickets {
            join,
            sync,
            heartbeat,
            callback,
        } = self.tickets;
        match told {
            Told::Rejoin => Event::Rejoin,
            Told::Polled => Event::Polled,
            Told::Joined(id, generation) => Event::Joined(
                join,
                Ok(Joined {
                    member_id: id.trim_end_matches('!').to_owned(),
                    generation,
                    is_leader: id.ends_with('!'),
                }),
            ),
            Told::JoinRefused(problem) => Event::Joined(join, Err(problem)),
            Told::Synced(share) => Event::Synced(sync, Ok(share.iter().copied().collect())),
            Told::SyncRefused(problem) => Event::Synced(sync, Err(problem)),
            Told::Alive => Event::HeartbeatAnswered(heartbeat, Ok(())),
            Told::HeartbeatRefused(problem) => Event::HeartbeatAnswered(heartbeat, Err(problem)),
            Told::CommitRefused(generation, problem) => Event::CommitRefused {
                generation,
                problem,
            },
            Told::CalledBack => Event::CalledBack(callback),
            Told::Close => Event::Close,
            Told::At(millis) => {
                self.now = Moment::after_start(Duration::from_millis(millis));
                Event::Tick
            }
        }
    }

    fn words(&mut self, effect: &Effect<u8>) -> String {
        let list = |partitions: &BTreeSet<u8>| format!("{partitions:?}").replace(['{', '}'], "|");
        let list = |partitions: &BTreeSet<u8>| {
            let text = list(partitions);
            format!("[{}]", text.trim_matches('|'))
        };
        match effect {
            Effect::Join {
                ticket,
                member_id,
                owned,
                generation,
            } => {
                self.tickets.join = *ticket;
                format!("join as '{member_id}' with {} of {generation}", list(owned))
            }
            Effect::Sync {
                ticket,
                member_id,
                generation,
                is_leader,
            } => {
                self.tickets.sync = *ticket;
                let leads = if *is_leader { " as leader" } else { "" };
                format!("sync {member_id} {generation}{leads}")
            }
            Effect::Heartbeat {
                ticket,
                member_id,
                generation,
            } => {
                self.tickets.heartbeat = *ticket;
                format!("heartbeat {member_id} {generation}")
            }
            Effect::Leave { member_id } => format!("leave {member_id}"),
            Effect::Revoke(ticket, partitions) => {
                self.tickets.callback = *ticket;
                format!("revoke {}", list(partitions))
            }
            Effect::Assign(ticket, partitions) => {
                self.tickets.callback = *ticket;
                format!("assign {}", list(partitions))
            }
            Effect::Lose(ticket, partitions) => {
                self.tickets.callback = *ticket;
                format!("lose {}", list(partitions))
            }
            Effect::Fail(problem) => format!("fail {problem:?}"),
            Effect::Closed => "closed".to_owned(),
        }
    }
}

fn name(told: &Told<'_>) -> String {
    match told {
        Told::Rejoin => "it is to join".to_owned(),
        Told::Polled => "the application polls".to_owned(),
        Told::Joined(id, generation) => format!("joined as {id} in generation {generation}"),
        Told::JoinRefused(problem) => format!("the JoinGroup is refused: {problem:?}"),
        Told::Synced(share) => format!("synced: {share:?}"),
        Told::SyncRefused(problem) => format!("the SyncGroup is refused: {problem:?}"),
        Told::Alive => "the heartbeat is answered".to_owned(),
        Told::HeartbeatRefused(problem) => format!("the heartbeat is refused: {problem:?}"),
        Told::CommitRefused(generation, problem) => {
            format!("a commit of generation {generation} is refused: {problem:?}")
        }
        Told::CalledBack => "the callback returns".to_owned(),
        Told::Close => "it is to close".to_owned(),
        Told::At(millis) => format!("it is {millis} ms after the start"),
    }
}
