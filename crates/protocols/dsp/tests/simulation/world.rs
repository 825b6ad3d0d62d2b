//! Time, the link, two parties with their job queues, and what must hold.

use std::collections::{BTreeMap, BTreeSet};

use heddle_clock::{SeededRng, Timestamp};
use heddle_dsp::process::{Failure, Inbound, PeerPid, Role};
use heddle_ids::MessageId;

use crate::{
    machines::{Machine, Moved, Verdict},
    support::{NOW, message_id, pid},
};

/// Until then the link is bad; afterwards it is good, and whoever is not done terminates. In steps of the
/// clock.
const BAD_UNTIL: u64 = 2_000;
const END: u64 = 12_000;
const ATTEMPTS_MAX: u32 = 8;
const TIMEOUT: u64 = 60;

enum What<M: Machine> {
    /// The owner thinks about it.
    Think(Role),
    /// A job sends what is in flight.
    Attempt { by: Role, id: MessageId, attempt: u32 },
    /// A request reaches the other party. `first` is the attempt that the sender waits for.
    Arrives { to: Role, id: MessageId, message: M::Message, attempt: u32, counted: bool },
    /// An answer reaches the sender.
    Answer { to: Role, id: MessageId, verdict: Verdict, attempt: u32 },
    /// No answer came.
    TimedOut { by: Role, id: MessageId, attempt: u32 },
}

struct Side<M: Machine> {
    party: M,
    /// Every state that it came into.
    history: Vec<M::State>,
    /// The messages that it took, once each.
    taken: BTreeSet<MessageId>,
    /// The messages of which it refused a copy.
    refused: BTreeSet<MessageId>,
    /// The attempts that were answered.
    answered: BTreeSet<(MessageId, u32)>,
    /// The messages that a job sends, so that a message is sent by one job at a time.
    jobs: BTreeSet<MessageId>,
}

/// What was seen, and what must not be seen.
#[derive(Debug, Default)]
pub struct Report {
    pub finished: u64,
    pub terminated: u64,
    pub replays: u64,
    pub crossings: u64,
    pub waits: u64,
    pub crashes: u64,
    /// Copies that came late and were still taken, though the sender had withdrawn or abandoned the message
    /// or had been refused it: the one hole of a protocol without sequence numbers. The parties still end
    /// alike.
    pub strays: u64,
    /// Counter-offers that were taken for acknowledged but were crossed.
    pub imagined: u64,
    pub problem: Option<String>,
}

impl Report {
    pub fn add(&mut self, other: &Self) {
        self.finished += other.finished;
        self.terminated += other.terminated;
        self.replays += other.replays;
        self.crossings += other.crossings;
        self.waits += other.waits;
        self.crashes += other.crashes;
        self.strays += other.strays;
        self.imagined += other.imagined;
    }
}

pub struct World<M: Machine> {
    dice: SeededRng,
    clock: u64,
    next: u64,
    events: BTreeMap<(u64, u64), What<M>>,
    sides: [Side<M>; 2],
    report: Report,
    log: Vec<String>,
}

impl<M: Machine> World<M> {
    pub fn new(seed: u64, setup: &M::Setup) -> Self {
        let side = |role| Side {
            party: M::new(role, setup),
            history: Vec::new(),
            taken: BTreeSet::new(),
            refused: BTreeSet::new(),
            answered: BTreeSet::new(),
            jobs: BTreeSet::new(),
        };
        let mut world = Self {
            dice: SeededRng::new(seed),
            clock: 0,
            next: 0,
            events: BTreeMap::new(),
            sides: [side(Role::Consumer), side(Role::Provider)],
            report: Report::default(),
            log: Vec::new(),
        };
        for role in Role::ALL {
            world.after(1, What::Think(role));
        }
        world
    }

    pub fn run(mut self) -> (Report, Vec<String>) {
        while let Some(((time, _), what)) = self.events.pop_first() {
            self.clock = time;
            match what {
                What::Think(role) => self.think(role),
                What::Attempt { by, id, attempt } => self.attempt(by, &id, attempt),
                What::Arrives { to, id, message, attempt, counted } => {
                    self.arrives(to, id, &message, attempt, counted);
                }
                What::Answer { to, id, verdict, attempt } => self.answer(to, &id, verdict, attempt),
                What::TimedOut { by, id, attempt } => self.timed_out(by, &id, attempt),
            }
            if self.report.problem.is_some() {
                return (self.report, self.log);
            }
        }
        self.judge();
        (self.report, self.log)
    }

    fn think(&mut self, role: Role) {
        let party = &self.sides[role as usize].party;
        if party.is_terminal() || self.clock > END {
            return;
        }
        let wish = match self.clock {
            ..=BAD_UNTIL => party.decide(&self.dice),
            // Both end it, at different times; what crosses is what there is to see.
            _ if party.state().is_some() => Some(M::ending()),
            _ => party.decide(&self.dice),
        };
        if let Some(message) = wish {
            let id = self.message_id(role);
            self.note(&format!("{role} wants {message:?} ({id})"));
            if let Some(moved) = self.sides[role as usize].party.send(message, id, self.now()) {
                self.moved(role, moved);
            }
        }
        let wait = 10 + self.dice.below(120);
        self.after(wait, What::Think(role));
    }

    /// Stores the party after a step, and enqueues a job for a message that is newly in flight, in one
    /// commit.
    fn moved(&mut self, role: Role, moved: Moved<M>) {
        let side = &mut self.sides[role as usize];
        side.history.extend(moved.entered);
        side.party = moved.party;
        let state = side.party.state();
        if let Some((id, _)) = side.party.under_way()
            && side.jobs.insert(id.clone())
        {
            let wait = self.dice.below(20);
            self.after(wait, What::Attempt { by: role, id, attempt: 0 });
        }
        self.note(&format!("{role} is {state:?}"));
    }

    fn attempt(&mut self, by: Role, id: &MessageId, attempt: u32) {
        let Some((_, message)) =
            self.sides[by as usize].party.under_way().filter(|(current, _)| current == id)
        else {
            return;
        };
        // A crash between storing and sending: nothing goes out, and the job is claimed again later.
        if self.is_bad() && self.dice.below(10) == 0 {
            self.report.crashes += 1;
            return self.after(TIMEOUT * 2, What::Attempt { by, id: id.clone(), attempt });
        }
        let to = by.other();
        let arrives =
            |counted| What::Arrives { to, id: id.clone(), message: message.clone(), attempt, counted };
        if !self.is_lost() {
            let delay = self.delay();
            self.after(delay, arrives(true));
        }
        if self.is_bad() && self.dice.below(6) == 0 {
            let delay = 1 + self.dice.below(TIMEOUT * 2);
            self.after(delay, arrives(false));
        }
        self.after(TIMEOUT, What::TimedOut { by, id: id.clone(), attempt });
    }

    fn arrives(&mut self, to: Role, id: MessageId, message: &M::Message, attempt: u32, counted: bool) {
        let from = to.other();
        let sender = &self.sides[from as usize].party;
        let current = sender.under_way().is_some_and(|(current, _)| current == id);
        let overtaken = sender.is_overtaken();
        let receiver = &self.sides[to as usize].party;
        let inbound = Inbound::new(message.clone(), id.clone()).from_process(pid(from));
        let crossing = receiver.under_way();
        let verdict = match receiver.receive(inbound, self.now()) {
            Ok(moved) => {
                if moved.replay {
                    self.report.replays += 1;
                } else {
                    let refused = self.sides[to as usize].refused.contains(&id);
                    self.report.strays += u64::from(!current || refused);
                    self.report.crossings += u64::from(crossing.is_some());
                    if let Some((own, message)) = crossing.filter(|_| moved.entered.len() > 1)
                        && !self.sides[from as usize].taken.contains(&own)
                    {
                        self.report.imagined += 1;
                        if self.report.strays == 0 && !M::may_be_imagined(&message) {
                            self.report.problem =
                                Some(format!("{to} takes {own} for acknowledged, which it is not"));
                        }
                    }
                    if !self.sides[to as usize].taken.insert(id.clone()) {
                        self.report.problem = Some(format!("{to} took {id} twice"));
                    }
                }
                self.moved(to, moved);
                Verdict::Taken
            }
            Err(verdict) => verdict,
        };
        if matches!(verdict, Verdict::Refused(_)) {
            self.sides[to as usize].refused.insert(id.clone());
        }
        self.note(&format!("{to} says {verdict:?} to {id} {message:?}"));
        self.judge_verdict(to, &verdict, current && !overtaken);
        self.report.waits += u64::from(verdict == Verdict::Wait);
        if counted && !self.is_lost() {
            let delay = self.delay();
            self.after(delay, What::Answer { to: from, id, verdict, attempt });
        }
    }

    /// A correct peer never sees an illegal message, but one that crosses the end or its like, or a stray and
    /// what follows from it.
    fn judge_verdict(&mut self, by: Role, verdict: &Verdict, current: bool) {
        let [consumer, provider] = &self.sides;
        let over = consumer.party.is_terminal() || provider.party.is_terminal();
        if let Verdict::Refused(reason) = verdict
            && current
            && !over
            && self.report.strays == 0
        {
            self.report.problem = Some(format!("{by} refused a message of a correct peer: {reason}"));
        }
    }

    fn answer(&mut self, to: Role, id: &MessageId, verdict: Verdict, attempt: u32) {
        let side = &mut self.sides[to as usize];
        side.answered.insert((id.clone(), attempt));
        match verdict {
            Verdict::Taken => {
                let from: PeerPid = pid(to.other());
                let moved = self.sides[to as usize].party.acknowledged(id, Some(from), self.now());
                self.moved(to, moved);
            }
            Verdict::Wait => {
                let wait = 20 + self.dice.below(40);
                self.after(
                    wait,
                    What::Attempt { by: to, id: id.clone(), attempt: attempt.wrapping_add(1000) },
                );
            }
            Verdict::Refused(reason) => self.give_up(to, id, &Failure::Refused(reason)),
        }
    }

    fn timed_out(&mut self, by: Role, id: &MessageId, attempt: u32) {
        let side = &self.sides[by as usize];
        if side.answered.contains(&(id.clone(), attempt)) {
            return;
        }
        if attempt % 1000 >= ATTEMPTS_MAX {
            return self.give_up(by, id, &Failure::Unanswered("no answer".to_owned()));
        }
        let wait = 5 + self.dice.below(60);
        self.after(wait, What::Attempt { by, id: id.clone(), attempt: attempt + 1 });
    }

    /// Before a message is abandoned, the peer is asked for its state; that question is answered in the end.
    fn give_up(&mut self, by: Role, id: &MessageId, failure: &Failure) {
        let state = self.sides[by.other() as usize].party.state();
        if let (Some(state), Some(_)) = (state, self.sides[by as usize].party.peer_pid()) {
            self.note(&format!("{by} asks and hears {state:?}"));
            let moved = self.sides[by as usize].party.observed(state, self.now());
            self.moved(by, moved);
        }
        let notice = self.message_id(by);
        let moved = self.sides[by as usize].party.abandoned(id, failure, notice, self.now());
        if !moved.replay {
            self.note(&format!("{by} abandons {id}: {}", failure.reason()));
        }
        self.moved(by, moved);
    }

    /// What must hold when nothing is under way any more.
    fn judge(&mut self) {
        let [consumer, provider] = &self.sides;
        let states = (consumer.party.state(), provider.party.state());
        // The provider may never have heard of what the consumer has given up.
        if provider.party.state().is_none() && consumer.party.is_terminal() {
            self.report.terminated += 1;
            return;
        }
        let problem = match states {
            (Some(ours), Some(theirs)) if ours == theirs && consumer.party.is_terminal() => {
                let counter = if M::is_terminated(ours) {
                    &mut self.report.terminated
                } else {
                    &mut self.report.finished
                };
                *counter += 1;
                consumer.party.difference(&provider.party)
            }
            _ => Some(format!("the parties ended in {states:?}")),
        };
        let steps = |side: &Side<M>| -> Vec<M::State> {
            side.history.iter().copied().filter(|state| !M::is_terminated(*state)).collect()
        };
        let (ours, theirs) = (steps(consumer), steps(provider));
        let common = ours.len().min(theirs.len());
        let alike = ours[..common] == theirs[..common] && ours.len().abs_diff(theirs.len()) <= 1;
        self.report.problem = problem.or_else(|| {
            (!alike && self.report.strays + self.report.imagined == 0)
                .then(|| format!("two histories: {ours:?} and {theirs:?}"))
        });
    }

    fn after(&mut self, wait: u64, what: What<M>) {
        self.next += 1;
        self.events.insert((self.clock + wait, self.next), what);
    }

    fn message_id(&mut self, role: Role) -> MessageId {
        self.next += 1;
        message_id(format!("{role}-{}", self.next))
    }

    fn is_bad(&self) -> bool {
        self.clock <= BAD_UNTIL
    }

    fn is_lost(&self) -> bool {
        self.is_bad() && self.dice.below(4) == 0
    }

    fn delay(&self) -> u64 {
        if self.is_bad() { 1 + self.dice.below(TIMEOUT + TIMEOUT / 2) } else { 1 }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW.as_millis() + i64::try_from(self.clock).expect("a short run"))
    }

    fn note(&mut self, line: &str) {
        self.log.push(format!("{:>6} {line}", self.clock));
    }
}
