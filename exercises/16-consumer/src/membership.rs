//! One member of a group, as a state machine.

mod answers;

use std::collections::{BTreeSet, VecDeque};

use message_model::Moment;

use crate::membership_words::{Effect, Event, MemberSettings, Ticket};

/// A member of a group: when it joins, which partitions are its own, and when it must
/// give them up. `P` names a partition.
///
/// A member is told what has happened by [`step`](Membership::step), and asks for calls
/// and callbacks. It reads no clock and sends nothing.
///
/// # Invariants
/// - At most one JoinGroup or SyncGroup is on its way, at most one heartbeat, and at most
///   one callback runs. No JoinGroup is sent while a callback runs.
/// - Every partition that is assigned is revoked or lost before it is assigned again.
/// - Revoked means that the member was still in the group when the callback began: it
///   could commit. Lost means that it may not have been.
/// - An eager member owns nothing while its JoinGroup is on its way.
#[derive(Debug, Clone)]
pub struct Membership<P> {
    settings: MemberSettings,
    phase: Phase,
    member_id: String,
    /// −1 while it has none.
    generation: i32,
    /// What was assigned, and neither revoked nor lost since.
    owned: BTreeSet<P>,
    /// The last ticket that was given out.
    tickets: u64,
    /// The JoinGroup or SyncGroup that is on its way.
    call: Option<Ticket>,
    /// Whether `call` is a JoinGroup.
    is_joining: bool,
    heartbeat: Option<Ticket>,
    /// The callback that runs, and the partitions that are not owned any more when it ends.
    callback: Option<(Ticket, BTreeSet<P>)>,
    /// The callbacks that come after it.
    callbacks: VecDeque<Callback<P>>,
    wants_join: bool,
    /// No JoinGroup is sent before this. A heartbeat does not wait for it.
    retry_at: Moment,
    heartbeat_at: Moment,
    /// When the coordinator was last known to count it as a member.
    heard_at: Moment,
    polled_at: Moment,
    /// Whether the application has not polled for too long.
    is_away: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Closing,
    Over,
}

#[derive(Debug, Clone)]
enum Callback<P> {
    Revoke(BTreeSet<P>),
    Assign(BTreeSet<P>),
    /// Of everything that is owned when it begins.
    LoseAll,
}

impl<P: Ord + Clone> Membership<P> {
    /// Returns a member that has not joined, and does not want to yet.
    #[must_use]
    pub fn new(now: Moment, settings: MemberSettings) -> Membership<P> {
        Membership {
            settings,
            phase: Phase::Running,
            member_id: String::new(),
            generation: -1,
            owned: BTreeSet::new(),
            tickets: 0,
            call: None,
            is_joining: false,
            heartbeat: None,
            callback: None,
            callbacks: VecDeque::new(),
            wants_join: false,
            retry_at: now,
            heartbeat_at: now,
            heard_at: now,
            polled_at: now,
            is_away: false,
        }
    }

    /// Takes one event, and returns what is to be done, in this order.
    pub fn step(&mut self, now: Moment, event: Event<P>) -> Vec<Effect<P>> {
        let mut effects = Vec::new();
        if self.phase != Phase::Over {
            self.take(now, event, &mut effects);
        } else if let Event::CalledBack(ticket) = event {
            self.called_back(ticket);
        }
        self.advance(now, &mut effects);
        effects
    }

    /// Returns the partitions that are the member's.
    #[must_use]
    pub fn owned(&self) -> &BTreeSet<P> {
        &self.owned
    }

    /// Returns what a commit must name: the member's id and its generation. The generation
    /// is −1 while the member is in none, and then a commit is of no use. The id is empty
    /// while the coordinator has given none that still counts, and when the member has ended.
    #[must_use]
    pub fn identity(&self) -> (&str, i32) {
        (&self.member_id, self.generation)
    }

    /// Returns whether the member is in a generation, and knows its partitions: neither a
    /// call nor a callback is on its way, and none is needed.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        let is_busy = self.call.is_some() || self.callback.is_some() || self.wants_join;
        self.phase == Phase::Running && self.generation >= 0 && !is_busy
    }

    fn take(&mut self, now: Moment, event: Event<P>, effects: &mut Vec<Effect<P>>) {
        match event {
            Event::Rejoin => self.wants_join = true,
            Event::Polled => self.polled(now),
            Event::Joined(ticket, answer) => {
                if self.call == Some(ticket) && self.is_joining {
                    self.call = None;
                    self.joined(now, answer, effects);
                }
            }
            Event::Synced(ticket, answer) => {
                if self.call == Some(ticket) && !self.is_joining {
                    self.call = None;
                    self.synced(now, answer, effects);
                }
            }
            Event::HeartbeatAnswered(ticket, answer) => {
                if self.heartbeat == Some(ticket) {
                    self.heartbeat = None;
                    match answer {
                        Ok(()) => self.heard_at = now,
                        Err(problem) => self.refused(now, problem, effects),
                    }
                }
            }
            Event::CommitRefused {
                generation,
                problem,
            } => {
                if self.generation >= 0 && generation == self.generation {
                    self.refused(now, problem, effects);
                }
            }
            Event::CalledBack(ticket) => self.called_back(ticket),
            Event::Close => self.close(),
            Event::Tick => self.tick(now, effects),
        }
    }

    /// Begins the end. What the coordinator still answers does not matter any more.
    fn close(&mut self) {
        self.phase = Phase::Closing;
        self.call = None;
        self.wants_join = false;
    }

    fn polled(&mut self, now: Moment) {
        self.polled_at = now;
        if self.is_away {
            self.is_away = false;
            self.wants_join = true;
        }
    }

    fn called_back(&mut self, ticket: Ticket) {
        if let Some((running, gone)) = self.callback.take() {
            if running == ticket {
                self.owned.retain(|partition| !gone.contains(partition));
            } else {
                self.callback = Some((running, gone));
            }
        }
    }

    /// Looks at what the time has brought: a silent coordinator, a silent application, a
    /// heartbeat. It brings nothing while the member is in no generation, so during its
    /// first JoinGroup no clock runs. It goes on while the member closes.
    fn tick(&mut self, now: Moment, effects: &mut Vec<Effect<P>>) {
        // task 16.5: session, poll interval, heartbeat
        todo!("16.5: session, poll interval, heartbeat")
        // end
    }

    /// Returns when [`Event::Tick`] is due; `None` if only another event can change
    /// anything, as during a member's first JoinGroup.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        // task 16.5: the earliest of what time can bring
        todo!("16.5: the earliest of what time can bring")
        // end
    }

    /// Begins what can begin now: the next callback; when there is none, the end of a
    /// member that closes, or a JoinGroup if one is wanted.
    fn advance(&mut self, now: Moment, effects: &mut Vec<Effect<P>>) {
        // task 16.5: callbacks first, then close, then join
        todo!("16.5: callbacks first, then close, then join")
        // end
    }

    /// Begins a callback. One that loses nothing, or revokes nothing, is not needed.
    fn call_back(&mut self, callback: Callback<P>, effects: &mut Vec<Effect<P>>) {
        // task 16.5: what is owned from when to when
        todo!("16.5: what is owned from when to when")
        // end
    }

    fn join(&mut self, effects: &mut Vec<Effect<P>>) {
        let ticket = self.next_ticket();
        self.wants_join = false;
        self.call = Some(ticket);
        self.is_joining = true;
        self.heartbeat = None;
        effects.push(Effect::Join {
            ticket,
            member_id: self.member_id.clone(),
            owned: self.owned.clone(),
            generation: self.generation,
        });
    }

    /// Ends a member that closes and owns nothing any more.
    fn end(&mut self, effects: &mut Vec<Effect<P>>) {
        self.phase = Phase::Over;
        self.call = None;
        self.heartbeat = None;
        let member_id = std::mem::take(&mut self.member_id);
        if !self.settings.is_static && !member_id.is_empty() {
            effects.push(Effect::Leave { member_id });
        }
        self.generation = -1;
        effects.push(Effect::Closed);
    }

    /// Whether a JoinGroup is on its way: the coordinator keeps a member that waits for its
    /// answer, and wants no heartbeat of it.
    fn is_in_join(&self) -> bool {
        self.call.is_some() && self.is_joining
    }

    fn next_ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }
}
