//! Members and their coordinator, one step at a time, and what must hold after each.

use std::collections::BTreeSet;
use std::time::Duration;

use message_model::Moment;

use super::coordinator::{Answer, Coordinator, State};
use super::part::{Effect, Event, MemberSettings, Membership, Problem, Ticket};

/// One step of a history; the number is the member's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The oldest answer that is on its way to the member arrives.
    Answer(usize),
    /// The one behind it arrives first.
    AnswerSecond(usize),
    /// The application's callback returns.
    CallBack(usize),
    /// The connection with the JoinGroup or SyncGroup breaks.
    Break(usize),
    /// The coordinator expires the member.
    Expire(usize),
    /// The member is to join (again).
    Rejoin(usize),
    /// The member is to close.
    Close(usize),
    /// It is the next moment at which a member has something to do; the applications have
    /// polled.
    Later,
}

#[derive(Clone)]
struct Client {
    member: Membership<u8>,
    /// What the application may read.
    held: BTreeSet<u8>,
    /// The JoinGroup or SyncGroup on its way, and whether it is a JoinGroup.
    call: Option<(Ticket, bool)>,
    heartbeat: Option<Ticket>,
    callback: Option<(Ticket, BTreeSet<u8>)>,
    inbox: Vec<Event<u8>>,
    is_begun: bool,
    /// Then a rebalance may be on its way, and the commit may be refused.
    is_closing: bool,
    is_over: bool,
}

#[derive(Clone)]
pub(super) struct World {
    coordinator: Coordinator,
    clients: Vec<Client>,
    now: Moment,
    is_cooperative: bool,
    partitions: u8,
}

pub(super) fn settings(is_cooperative: bool, is_static: bool) -> MemberSettings {
    MemberSettings {
        is_static,
        is_cooperative,
        session_timeout: Duration::from_secs(45),
        heartbeat_interval: Duration::from_secs(3),
        max_poll_interval: Duration::from_secs(300),
        retry_backoff: Duration::from_millis(100),
    }
}

impl World {
    /// Members that have not joined, and a coordinator without members.
    pub(super) fn new(members: usize, is_cooperative: bool, id_first: bool) -> World {
        let partitions = 3;
        let client = || Client {
            member: Membership::new(Moment::START, settings(is_cooperative, false)),
            held: BTreeSet::new(),
            call: None,
            heartbeat: None,
            callback: None,
            inbox: Vec::new(),
            is_begun: false,
            is_closing: false,
            is_over: false,
        };
        World {
            coordinator: Coordinator::new(is_cooperative, id_first, partitions),
            clients: std::iter::repeat_with(client).take(members).collect(),
            now: Moment::START,
            is_cooperative,
            partitions,
        }
    }

    /// What can happen now, of the first `kinds` kinds: without the last ones a history has
    /// no mishaps.
    pub(super) fn possible(&self, with_mishaps: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        for (who, client) in self.clients.iter().enumerate() {
            let is_running = client.is_begun && !client.is_over;
            let mut add = |is_possible: bool, step: Step| steps.extend(is_possible.then_some(step));
            add(!client.inbox.is_empty(), Step::Answer(who));
            add(client.inbox.len() > 1, Step::AnswerSecond(who));
            add(client.callback.is_some(), Step::CallBack(who));
            add(!client.is_over, Step::Rejoin(who));
            add(is_running, Step::Close(who));
            if with_mishaps {
                add(client.call.is_some(), Step::Break(who));
                let (id, _) = client.member.identity();
                add(self.coordinator.members.contains_key(id), Step::Expire(who));
            }
        }
        steps.extend(self.next_moment().is_some().then_some(Step::Later));
        steps
    }

    /// Takes a step that is possible.
    ///
    /// # Errors
    /// What does not hold then.
    pub(super) fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Answer(who) => self.answer(who, 0),
            Step::AnswerSecond(who) => self.answer(who, 1),
            Step::CallBack(who) => self.call_back(who),
            Step::Break(who) => self.break_call(who),
            Step::Expire(who) => {
                let id = self.clients[who].member.identity().0.to_owned();
                let answers = self.coordinator.remove(&id);
                self.deliver(answers);
                Ok(())
            }
            Step::Rejoin(who) => {
                self.clients[who].is_begun = true;
                self.tell(who, Event::Rejoin)
            }
            Step::Close(who) => {
                self.clients[who].is_closing = true;
                self.clients[who].call = None;
                self.tell(who, Event::Close)
            }
            Step::Later => self.later(),
        }?;
        self.check()
    }

    /// Lets everything that is on its way come to its end, and then the time pass.
    ///
    /// # Errors
    /// When the group does not come to rest, or not as it should.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        for _ in 0..400 {
            let quiet: Vec<Step> = self
                .possible(false)
                .into_iter()
                .filter(|step| matches!(step, Step::Answer(_) | Step::CallBack(_)))
                .collect();
            if let Some(step) = quiet.first() {
                self.take(*step)?;
            } else if self.unrest().is_none() {
                return Ok(());
            } else {
                self.expire_the_dead();
                self.take(Step::Later)?;
            }
        }
        Err(format!(
            "every answer has arrived, every callback has returned, 400 steps are over, and still {}",
            self.unrest().unwrap_or_default()
        ))
    }

    fn answer(&mut self, who: usize, place: usize) -> Result<(), String> {
        let event = self.clients[who].inbox.remove(place);
        let client = &mut self.clients[who];
        let (call, heartbeat) = match &event {
            Event::Joined(ticket, _) | Event::Synced(ticket, _) => (Some(*ticket), None),
            Event::HeartbeatAnswered(ticket, _) => (None, Some(*ticket)),
            _ => (None, None),
        };
        if call.is_some() && call == client.call.map(|(ticket, _)| ticket) {
            client.call = None;
        }
        if heartbeat.is_some() && heartbeat == client.heartbeat {
            client.heartbeat = None;
        }
        self.tell(who, event)
    }

    fn call_back(&mut self, who: usize) -> Result<(), String> {
        let Some((ticket, gone)) = self.clients[who].callback.take() else {
            return Ok(());
        };
        self.clients[who].held.retain(|p| !gone.contains(p));
        self.tell(who, Event::CalledBack(ticket))
    }

    fn break_call(&mut self, who: usize) -> Result<(), String> {
        let Some((ticket, is_join)) = self.clients[who].call.take() else {
            return Ok(());
        };
        let is_late = |event: &Event<u8>| match event {
            Event::Joined(late, _) | Event::Synced(late, _) => *late == ticket,
            _ => false,
        };
        self.clients[who].inbox.retain(|event| !is_late(event));
        let event = if is_join {
            Event::Joined(ticket, Err(Problem::Retriable))
        } else {
            Event::Synced(ticket, Err(Problem::Retriable))
        };
        self.tell(who, event)
    }

    fn next_moment(&self) -> Option<Moment> {
        let deadlines = self.clients.iter().filter(|client| !client.is_over);
        deadlines
            .filter_map(|client| client.member.next_deadline())
            .min()
    }

    fn later(&mut self) -> Result<(), String> {
        let next = self.next_moment();
        self.now = self.now.max(next.unwrap_or(self.now));
        for who in 0..self.clients.len() {
            if self.clients[who].is_over {
                continue;
            }
            self.tell(who, Event::Polled)?;
            self.tell(who, Event::Tick)?;
            let deadline = self.clients[who].member.next_deadline();
            if !self.clients[who].is_over && deadline.is_some_and(|deadline| deadline <= self.now) {
                return Err(format!(
                    "member {who} was told the time, and its next deadline is not after it"
                ));
            }
        }
        Ok(())
    }

    /// Expires ids that no member goes by.
    fn expire_the_dead(&mut self) {
        let seats = self.coordinator.members.iter();
        let dead = seats.filter(|(id, seat)| {
            let client = &self.clients[seat.client];
            let own = client.member.identity().0;
            let waits_for_it = own.is_empty() && seat.is_joining(client.call.map(|call| call.0));
            client.is_over || (own != id.as_str() && !waits_for_it)
        });
        let dead: Vec<String> = dead.map(|(id, _)| id.clone()).collect();
        for id in dead {
            let answers = self.coordinator.remove(&id);
            self.deliver(answers);
        }
    }

    /// Why the group is not at rest, with all partitions in the right hands.
    fn unrest(&self) -> Option<String> {
        let mut is_shared = BTreeSet::new();
        for (who, client) in self.clients.iter().enumerate() {
            if client.is_over || !client.is_begun {
                continue;
            }
            let (id, generation) = client.member.identity();
            let Some(seat) = self.coordinator.members.get(id) else {
                return Some(format!("member {who} is not in the group"));
            };
            if !client.member.is_stable() || generation != self.coordinator.generation {
                return Some(format!(
                    "member {who} is not at rest in the group's generation"
                ));
            }
            if seat.share != client.held {
                let (held, share) = (&client.held, &seat.share);
                return Some(format!(
                    "member {who} reads {held:?}, and its share is {share:?}"
                ));
            }
            is_shared.extend(seat.share.iter().copied());
        }
        let any = self
            .clients
            .iter()
            .any(|client| client.is_begun && !client.is_over);
        let is_whole = is_shared.len() == usize::from(self.partitions);
        (any && !is_whole).then(|| format!("only {is_shared:?} have an owner"))
    }

    fn deliver(&mut self, answers: Vec<Answer>) {
        for (who, event) in answers {
            self.clients[who].inbox.push(event);
        }
    }

    /// Tells a member, and does what it asks for.
    fn tell(&mut self, who: usize, event: Event<u8>) -> Result<(), String> {
        for effect in self.clients[who].member.step(self.now, event) {
            match &effect {
                Effect::Join { .. } => self.join(who, effect)?,
                Effect::Heartbeat { .. } => self.heartbeat(who, effect)?,
                Effect::Sync {
                    ticket,
                    member_id,
                    generation,
                    is_leader,
                } => {
                    self.clients[who].call = Some((*ticket, false));
                    let name = (member_id.as_str(), *generation);
                    let answers = self.coordinator.sync(who, *ticket, name, *is_leader);
                    self.deliver(answers);
                }
                Effect::Leave { member_id } => {
                    let answers = self.coordinator.remove(member_id);
                    self.deliver(answers);
                }
                Effect::Revoke(..) | Effect::Assign(..) | Effect::Lose(..) => {
                    self.begin_callback(who, &effect)?;
                }
                Effect::Fail(problem) => {
                    let what = "gives up, although nothing was fatal";
                    return Err(format!("member {who} {what}: {problem:?}"));
                }
                Effect::Closed => self.end(who)?,
            }
        }
        Ok(())
    }

    fn join(&mut self, who: usize, effect: Effect<u8>) -> Result<(), String> {
        let client = &mut self.clients[who];
        let wrong = |what: &str| Err(format!("member {who} {what}: {effect:?}"));
        let Effect::Join {
            ticket,
            member_id,
            owned,
            ..
        } = &effect
        else {
            return Ok(());
        };
        if client.call.is_some() && client.member.identity().1 >= 0 {
            return wrong("has a JoinGroup or SyncGroup on its way, and sends another");
        }
        if client.callback.is_some() {
            return wrong("joins while a callback runs");
        }
        if !self.is_cooperative && !client.held.is_empty() {
            return wrong("is eager, and joins before it has given up everything");
        }
        if owned != &client.held {
            return wrong("does not say what it reads when it joins");
        }
        (client.call, client.heartbeat) = (Some((*ticket, true)), None);
        let answers = self
            .coordinator
            .join(who, *ticket, member_id, owned.clone());
        self.deliver(answers);
        Ok(())
    }

    fn heartbeat(&mut self, who: usize, effect: Effect<u8>) -> Result<(), String> {
        let client = &mut self.clients[who];
        let wrong = |what: &str| Err(format!("member {who} {what}: {effect:?}"));
        let Effect::Heartbeat {
            ticket,
            member_id,
            generation,
        } = &effect
        else {
            return Ok(());
        };
        if client.heartbeat.is_some() {
            return wrong("has a heartbeat on its way, and sends another");
        }
        if client.call.is_some_and(|(_, is_join)| is_join) {
            return wrong("sends a heartbeat beside its JoinGroup");
        }
        client.heartbeat = Some(*ticket);
        let answer = self
            .coordinator
            .heartbeat(who, *ticket, member_id, *generation);
        self.deliver(vec![answer]);
        Ok(())
    }

    fn end(&mut self, who: usize) -> Result<(), String> {
        let client = &mut self.clients[who];
        if !client.held.is_empty() {
            let held = &client.held;
            return Err(format!("member {who} closes while it reads {held:?}"));
        }
        client.is_over = true;
        client.inbox.clear();
        Ok(())
    }

    fn begin_callback(&mut self, who: usize, effect: &Effect<u8>) -> Result<(), String> {
        let client = &mut self.clients[who];
        let wrong = |what: &str| Err(format!("member {who} {what}: {effect:?}"));
        if client.callback.is_some() {
            return wrong("begins a callback while another one runs");
        }
        match effect {
            Effect::Revoke(ticket, partitions) => {
                if !partitions.is_subset(&client.held) || partitions.is_empty() {
                    return wrong("revokes what is not its own");
                }
                let (id, generation) = client.member.identity();
                let is_member = self.coordinator.members.contains_key(id);
                let is_closing = client.is_closing;
                if is_member && !is_closing && !self.coordinator.takes_commit(id, generation) {
                    return wrong("revokes when its commit is refused");
                }
                client.callback = Some((*ticket, partitions.clone()));
            }
            Effect::Assign(ticket, partitions) => {
                if !partitions.is_disjoint(&client.held) {
                    return wrong("is assigned what it has already");
                }
                client.held.extend(partitions.iter().copied());
                client.callback = Some((*ticket, BTreeSet::new()));
            }
            Effect::Lose(ticket, partitions) => {
                if partitions != &client.held || partitions.is_empty() {
                    return wrong("does not lose exactly what it has");
                }
                client.held.clear();
                client.callback = Some((*ticket, BTreeSet::new()));
            }
            _ => {}
        }
        Ok(())
    }

    /// What must hold at any time.
    fn check(&self) -> Result<(), String> {
        let mut owners: Vec<(u8, usize)> = Vec::new();
        for (who, client) in self.clients.iter().enumerate() {
            if client.member.owned() != &client.held {
                let (says, held) = (client.member.owned(), &client.held);
                return Err(format!(
                    "member {who} says that it owns {says:?}, and reads {held:?}"
                ));
            }
            let (id, _) = client.member.identity();
            if self.coordinator.members.contains_key(id) {
                owners.extend(client.held.iter().map(|p| (*p, who)));
            }
        }
        owners.sort_unstable();
        for pair in owners.windows(2) {
            if pair[0].0 == pair[1].0 {
                let (partition, first, second) = (pair[0].0, pair[0].1, pair[1].1);
                return Err(format!(
                    "partition {partition} is read by members {first} and {second}, which are both in the group"
                ));
            }
        }
        Ok(())
    }

    /// Whether the group is at rest; for the start of a history.
    pub(super) fn is_stable(&self) -> bool {
        self.coordinator.state == State::Stable && self.unrest().is_none()
    }
}
