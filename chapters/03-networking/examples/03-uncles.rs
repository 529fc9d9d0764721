//! Two uncles meet every day: three questions, three answers, one connection.
//!
//! The same talk three times: one sentence at a time; both talk and listen at
//! once, with a write per sentence; the same with coalesced writes. Each uncle
//! is a thread. In the last two, answers come out of order and are paired by id.
//!
//! `cargo run --release -p networking --example 03-uncles [-- --meetings N]`

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use std::{env, io};

use anyhow::{Context as _, Result, ensure};
use async_model::Clock;
use message_model::Moment;
use networking::{
    CallId, Effect, Ended, Event, FrameReader, Gathered, InFlight, frame, write_coalesced,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

/// What is said at a meeting: who asks, the question, the answer.
const TALK: [(Uncle, &str, &str); 3] = [
    (Uncle::Zhang, "Eaten yet?", "Just got up from the table."),
    (
        Uncle::Li,
        "Where are you off to?",
        "Nowhere. Once around the block.",
    ),
    (
        Uncle::Zhang,
        "Come by some time?",
        "I will, and bring a melon.",
    ),
];

/// How many questions one uncle may have open. The other's queue has room for
/// as many answers beside its own questions, so nobody who listens ever waits to speak.
const OPEN_MAX: usize = 1_000;

/// Nothing here takes as long as this.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uncle {
    Zhang,
    Li,
}

/// How they talk.
#[derive(Debug, Clone, Copy)]
enum Manner {
    OneAtATime,
    /// Both at once, with at most about this many bytes in a write.
    BothAtOnce {
        batch_bytes: usize,
    },
}

const MANNERS: [(&str, Manner); 3] = [
    ("one sentence at a time", Manner::OneAtATime),
    (
        "both at once, a write per sentence",
        Manner::BothAtOnce { batch_bytes: 1 },
    ),
    (
        "both at once, coalesced writes",
        Manner::BothAtOnce {
            batch_bytes: 64 * 1024,
        },
    ),
];

fn main() -> Result<()> {
    let meetings = meetings()?;
    let sentences = u64::from(meetings) * 2 * TALK.len() as u64;
    println!("{meetings} meetings, {sentences} sentences over one loopback connection\n");
    println!(
        "{:<36}{:>8}{:>9}{:>10}{:>14}",
        "how they talk", "seconds", "faster", "writes", "out of order"
    );
    let mut slowest = None;
    for (name, manner) in MANNERS {
        let clock = Clock::start();
        let said = talk(manner, meetings)?;
        let seconds = clock.now().since(Moment::START).as_secs_f64();
        let slowest = *slowest.get_or_insert(seconds);
        println!(
            "{name:<36}{seconds:>8.2}{:>8.1}×{:>10}{:>14}",
            slowest / seconds,
            said.writes,
            said.out_of_order
        );
    }
    println!("\nPaired by id, every answer was the right one. Paired by order, those in the");
    println!("last column would have been answers to other questions.");
    Ok(())
}

fn meetings() -> Result<u32> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(100_000),
        [flag, number] if flag == "--meetings" => number.parse().context("--meetings N"),
        _ => anyhow::bail!("usage: 03-uncles [--meetings N]"),
    }
}

/// What happened on the connection.
#[derive(Debug, Default)]
struct Said {
    writes: u64,
    /// Answers that were not the next in the order of the questions.
    out_of_order: u64,
}

/// Lets both uncles talk, each on a thread of his own.
fn talk(manner: Manner, meetings: u32) -> Result<Said> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let zhang = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (li, _) = listener.accept()?;
    let threads = [(Uncle::Zhang, zhang), (Uncle::Li, li)]
        .map(|(me, stream)| thread::spawn(move || uncle(me, stream, manner, meetings)));
    let mut all = Said::default();
    for thread in threads {
        let said = thread.join().expect("an uncle does not panic")?;
        all.writes += said.writes;
        all.out_of_order += said.out_of_order;
    }
    Ok(all)
}

fn uncle(me: Uncle, stream: std::net::TcpStream, manner: Manner, meetings: u32) -> Result<Said> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (reader, writer) = TcpStream::from_std(stream)?.into_split();
        let heard = FrameReader::new(reader, 1024);
        let writes = Arc::default();
        let mouth = Counting {
            writer,
            writes: Arc::clone(&writes),
        };
        let out_of_order = match manner {
            Manner::OneAtATime => one_at_a_time(me, heard, mouth, meetings).await?,
            Manner::BothAtOnce { batch_bytes } => {
                both_at_once(me, heard, mouth, (meetings, batch_bytes)).await?
            }
        };
        let writes = writes.load(Ordering::Relaxed);
        Ok(Said {
            writes,
            out_of_order,
        })
    })
}

/// Asks and waits for the answer, or waits for the question and answers: line by line.
async fn one_at_a_time<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    me: Uncle,
    mut heard: FrameReader<R>,
    mut mouth: W,
    meetings: u32,
) -> Result<u64> {
    for meeting in 0..meetings {
        for (line, (asker, _, _)) in (0..).zip(TALK) {
            let id = CallId(0);
            let question = Sentence::question(id, line, meeting);
            if asker == me {
                mouth.write_all(&question.to_frame()).await?;
                let answer = next(&mut heard).await?;
                ensure!(answer == question.answer(), "a wrong answer: {answer:?}");
            } else {
                let heard = next(&mut heard).await?;
                ensure!(heard == question, "a wrong question: {heard:?}");
                mouth.write_all(&heard.answer().to_frame()).await?;
            }
        }
    }
    Ok(0)
}

/// Talks, listens and writes at the same time; how many answers came out of order.
async fn both_at_once<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    me: Uncle,
    heard: FrameReader<R>,
    mut mouth: W,
    (meetings, batch_bytes): (u32, usize),
) -> Result<u64> {
    let (say, mut to_say) = mpsc::channel(2 * OPEN_MAX);
    let open = Open {
        questions: RefCell::new(InFlight::new(OPEN_MAX)),
        room: Semaphore::new(OPEN_MAX),
    };
    let write = async { Ok(write_coalesced(&mut to_say, &mut mouth, batch_bytes).await?) };
    let ((), out_of_order, ()) = tokio::try_join!(
        ask(me, &open, say.clone(), meetings),
        listen(me, &open, (heard, say), meetings),
        write,
    )?;
    Ok(out_of_order)
}

/// The questions of one uncle that have no answer yet.
struct Open {
    questions: RefCell<InFlight<Sentence>>,
    room: Semaphore,
}

/// Asks all questions of all meetings, as fast as there is room.
async fn ask(me: Uncle, open: &Open, say: mpsc::Sender<Gathered>, meetings: u32) -> Result<()> {
    for meeting in 0..meetings {
        for (line, (asker, _, _)) in (0..).zip(TALK) {
            if asker != me {
                continue;
            }
            open.room.acquire().await?.forget();
            let waiter = Sentence::question(CallId(0), line, meeting);
            let call = Event::Call {
                deadline: Moment::START.plus(PATIENCE),
                waiter,
            };
            let effects = open.questions.borrow_mut().step(Moment::START, call);
            let [Effect::Send(id)] = effects[..] else {
                anyhow::bail!("a question was refused");
            };
            let question = Sentence::question(id, line, meeting);
            say.send(question.to_frame().into()).await?;
        }
    }
    Ok(())
}

/// Answers the other's questions and pairs the answers to mine, until all are through.
async fn listen<R: AsyncRead + Unpin>(
    me: Uncle,
    open: &Open,
    (mut heard, say): (FrameReader<R>, mpsc::Sender<Gathered>),
    meetings: u32,
) -> Result<u64> {
    let mine = TALK.iter().filter(|(asker, _, _)| *asker == me).count();
    let mut answers_left = mine * meetings as usize;
    let mut questions_left = (TALK.len() - mine) * meetings as usize;
    let (mut held, mut expected, mut out_of_order) = (None, 0, 0);
    while answers_left + questions_left > 0 {
        let sentence = next(&mut heard).await?;
        if sentence.is_answer {
            out_of_order += u64::from(sentence.id != CallId(expected));
            expected += 1;
            pair(open, &sentence)?;
            answers_left -= 1;
            continue;
        }
        questions_left -= 1;
        // The second of two questions is answered before the first.
        let answer = sentence.answer();
        match held.take() {
            None if questions_left > 0 => held = Some(answer),
            earlier => {
                say.send(answer.to_frame().into()).await?;
                if let Some(earlier) = earlier {
                    say.send(earlier.to_frame().into()).await?;
                }
            }
        }
    }
    Ok(out_of_order)
}

/// Checks that `answer` is the one to the question with its id.
fn pair(open: &Open, answer: &Sentence) -> Result<()> {
    let reply = Event::Reply(answer.id);
    let effects = open.questions.borrow_mut().step(Moment::START, reply);
    let [Effect::End(question, Ended::Replied)] = &effects[..] else {
        anyhow::bail!("an answer to nothing: {answer:?}");
    };
    let expected = question.answer();
    ensure!(
        (answer.line, answer.meeting, &answer.text)
            == (expected.line, expected.meeting, &expected.text),
        "{answer:?} does not answer {question:?}"
    );
    open.room.add_permits(1);
    Ok(())
}

/// On the wire: id `i32` | line `u8`, 128 more in an answer | meeting `u32` | text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sentence {
    id: CallId,
    is_answer: bool,
    line: u8,
    meeting: u32,
    text: String,
}

const ANSWER: u8 = 128;

impl Sentence {
    fn question(id: CallId, line: u8, meeting: u32) -> Sentence {
        let (_, text, _) = TALK[usize::from(line)];
        Sentence {
            id,
            is_answer: false,
            line,
            meeting,
            text: text.to_owned(),
        }
    }

    fn answer(&self) -> Sentence {
        let (_, _, text) = TALK[usize::from(self.line)];
        Sentence {
            is_answer: true,
            text: text.to_owned(),
            ..*self
        }
    }

    fn to_frame(&self) -> Vec<u8> {
        let kind = if self.is_answer { ANSWER } else { 0 };
        let mut payload = self.id.0.to_be_bytes().to_vec();
        payload.push(self.line | kind);
        payload.extend_from_slice(&self.meeting.to_be_bytes());
        payload.extend_from_slice(self.text.as_bytes());
        frame(&payload)
    }

    fn from_payload(payload: &[u8]) -> Option<Sentence> {
        let (id, rest) = payload.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let (meeting, text) = rest.split_first_chunk()?;
        let line = kind & !ANSWER;
        (usize::from(line) < TALK.len()).then_some(Sentence {
            id: CallId(i32::from_be_bytes(*id)),
            is_answer: kind & ANSWER != 0,
            line,
            meeting: u32::from_be_bytes(*meeting),
            text: String::from_utf8(text.to_vec()).ok()?,
        })
    }
}

async fn next<R: AsyncRead + Unpin>(heard: &mut FrameReader<R>) -> Result<Sentence> {
    let payload = heard.next(PATIENCE).await?.context("the other has left")?;
    Sentence::from_payload(&payload).context("not a sentence")
}

/// Counts how often something is written.
struct Counting<W> {
    writer: W,
    writes: Arc<AtomicU64>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Counting<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.writer).poll_write(context, bytes);
        if written.is_ready() {
            // A counter that is read when the thread has ended: no order to keep.
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }
}
