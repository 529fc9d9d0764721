//! Each kind on the smallest history that has it, and on one beside it that has not.

use history::{Flaw, Kind, Outcome, Promise, Step, check};

use crate::small::{Story, records, send};

fn story() -> Story {
    Story::default()
}

fn step(value: u64, offset: Option<i64>) -> Step {
    Step::Send(send(value, offset))
}

#[test]
fn two_readers_that_agree_are_fine() {
    let story = story().sent(1, 10, 0).sent(1, 11, 1);
    let story = story.polled(2, &[(0, 10), (1, 11)]).polled(3, &[(0, 10)]);
    story.polled(3, &[(1, 11)]).finds(&[]);
}

#[test]
fn an_empty_history_has_nothing() {
    story().finds(&[]);
}

#[test]
fn two_values_at_one_offset_for_two_readers() {
    let story = story().sent(1, 10, 0).tried(1, 11, Outcome::Unknown);
    let story = story.polled(2, &[(0, 10)]).polled(3, &[(0, 11)]);
    story.finds(&[(Kind::InconsistentOffset, &[2, 3])]);
}

#[test]
fn the_answer_to_a_send_and_a_poll_disagree_about_an_offset() {
    let story = story().sent(1, 10, 0).sent(2, 11, 0);
    let story = story.polled(3, &[(0, 10), (1, 11)]);
    story.finds(&[
        (Kind::InconsistentOffset, &[2, 1]),
        (Kind::Duplicate, &[1, 2]),
    ]);
}

#[test]
fn the_offset_of_a_failed_send_proves_nothing() {
    let aborted = vec![step(10, Some(0))];
    let story = story().ran(1, aborted, Outcome::Failed).sent(2, 11, 0);
    story.polled(3, &[(0, 11)]).finds(&[]);
}

#[test]
fn one_value_at_two_offsets() {
    let story = story().sent(1, 10, 0);
    let story = story.polled(2, &[(0, 10), (1, 10)]);
    story.finds(&[(Kind::Duplicate, &[1, 1])]);
}

#[test]
fn a_value_that_was_acknowledged_elsewhere_is_a_duplicate() {
    let story = story().sent(1, 10, 4).polled(2, &[(0, 10)]);
    story.finds(&[(Kind::Duplicate, &[1, 0])]);
}

#[test]
fn a_value_that_nobody_sent() {
    story()
        .polled(2, &[(0, 10)])
        .finds(&[(Kind::Phantom, &[0])]);
}

#[test]
fn a_value_in_another_partition() {
    let mut story = story().sent(1, 10, 0).polled(2, &[(0, 10)]);
    let history::Action::Send(send) = &mut story.0[0].action else {
        unreachable!()
    };
    send.partition = crate::small::p(1);
    story.finds(&[(Kind::Phantom, &[0, 1])]);
}

#[test]
fn a_value_at_the_same_offset_of_another_partition() {
    let story = story().sent(1, 10, 0).polled(2, &[(0, 10)]);
    let story = story.polled_elsewhere(2, &[(0, 10)]);
    story.finds(&[(Kind::Phantom, &[0, 2])]);
}

#[test]
fn an_acknowledged_value_that_was_overwritten() {
    let story = story().sent(1, 10, 0).sent(2, 11, 0).polled(3, &[(0, 11)]);
    story.finds(&[
        (Kind::InconsistentOffset, &[2, 0]),
        (Kind::LostWrite, &[0, 2]),
    ]);
}

#[test]
fn an_acknowledged_value_below_one_that_was_read() {
    let story = story().sent(1, 10, 0).sent(1, 11, 1).polled(2, &[(1, 11)]);
    story.finds(&[(Kind::LostWrite, &[0, 2])]);
}

#[test]
fn a_value_without_an_answer_need_not_be_read() {
    let story = story().tried(1, 10, Outcome::Unknown).sent(1, 11, 1);
    story.polled(2, &[(1, 11)]).finds(&[]);
}

#[test]
fn a_transaction_without_an_outcome_that_was_read_in_part() {
    let steps = vec![step(10, Some(0)), step(11, Some(1)), step(12, None)];
    let story = story()
        .ran(1, steps, Outcome::Unknown)
        .polled(2, &[(1, 11)]);
    story.finds(&[(Kind::LostWrite, &[0, 1, 1]), (Kind::Unseen, &[0, 1])]);
}

#[test]
fn a_transaction_without_an_outcome_that_nobody_read() {
    let steps = vec![step(10, Some(0)), step(11, Some(1))];
    let story = story().ran(1, steps, Outcome::Unknown).sent(2, 12, 3);
    story.polled(2, &[(3, 12)]).finds(&[]);
}

#[test]
fn an_acknowledged_value_at_the_end_that_nobody_read() {
    let story = story().sent(1, 10, 0).sent(1, 11, 1).polled(2, &[(0, 10)]);
    story.finds(&[(Kind::Unseen, &[1])]);
}

#[test]
fn an_acknowledged_value_without_an_offset_that_nobody_read() {
    let story = story().tried(1, 10, Outcome::Ok).sent(1, 11, 1);
    story.polled(2, &[(1, 11)]).finds(&[(Kind::Unseen, &[0])]);
}

#[test]
fn a_failed_send_that_was_read() {
    let story = story().tried(1, 10, Outcome::Failed).polled(2, &[(0, 10)]);
    story.finds(&[(Kind::AbortedRead, &[0, 1])]);
}

#[test]
fn an_aborted_transaction_that_was_read() {
    let story = story().ran(1, vec![step(10, Some(0))], Outcome::Failed);
    let story = story.polled(2, &[(0, 10)]);
    story.finds(&[(Kind::AbortedRead, &[0, 1])]);
}

#[test]
fn a_value_that_was_read_before_its_commit() {
    let mut story = story().ran(1, vec![step(10, Some(0))], Outcome::Ok);
    story = story.polled(2, &[(0, 10)]);
    story.finds(&[]);
    // The poll returned at 3,000 µs.
    set_ending(&mut story, 3_001);
    story.finds(&[(Kind::UncommittedRead, &[0, 1])]);
    set_ending(&mut story, 3_000);
    story.finds(&[]);
}

fn set_ending(story: &mut Story, at: u64) {
    if let history::Action::Transaction { ending, .. } = &mut story.0[0].action {
        *ending = Some(at);
    }
}

#[test]
fn the_earliest_of_several_readers_is_the_one_that_counts() {
    let mut story = story().ran(1, vec![step(10, Some(0))], Outcome::Ok);
    story = story.polled(2, &[(0, 10)]).polled(3, &[(0, 10)]);
    set_ending(&mut story, 4_000);
    story.0[1].completed = 6_000;
    story.0[2].completed = 5_500;
    story.finds(&[]);
    story.0[2].completed = 3_999;
    story.finds(&[(Kind::UncommittedRead, &[0, 2])]);
}

#[test]
fn a_transaction_has_polled_before_it_asks_to_end() {
    let mut story = story().ran(1, vec![step(10, Some(0))], Outcome::Ok);
    set_ending(&mut story, 2_950);
    // It asks to end at 2,900 µs.
    story = story.ran(2, vec![Step::Poll(records(&[(0, 10)]))], Outcome::Ok);
    story.0[1].completed = 5_000;
    story.finds(&[(Kind::UncommittedRead, &[0, 1])]);
}

#[test]
fn a_transaction_that_reads_its_own_value() {
    let steps = vec![step(10, Some(0)), Step::Poll(records(&[(0, 10)]))];
    let story = story().ran(1, steps, Outcome::Ok);
    story.finds(&[(Kind::UncommittedRead, &[0, 0])]);
}

#[test]
fn a_transaction_that_was_never_asked_to_end_is_not_read() {
    let story = story().left(1, vec![step(10, Some(0))], Outcome::Unknown);
    let story = story.polled(2, &[(0, 10)]);
    story.finds(&[(Kind::UncommittedRead, &[0, 1])]);
}

/// Two values that two others read.
fn read_by_others() -> Story {
    let story = story().sent(1, 10, 0).sent(1, 11, 1).sent(1, 12, 2);
    story.polled(2, &[(0, 10), (1, 11), (2, 12)])
}

#[test]
fn a_poll_that_passes_over_a_record() {
    let skip: &[(Kind, &[usize])] = &[(Kind::PollSkip, &[4, 3, 5])];
    read_by_others()
        .polled(3, &[(0, 10)])
        .polled(3, &[(2, 12)])
        .finds(skip);
    let within: &[(Kind, &[usize])] = &[(Kind::PollSkip, &[4, 3, 4])];
    read_by_others()
        .polled(3, &[(0, 10), (2, 12)])
        .finds(within);
}

#[test]
fn offsets_that_nobody_ever_read_are_no_gap() {
    let story = story().sent(1, 10, 0).sent(1, 11, 5);
    let story = story.polled(2, &[(0, 10), (5, 11)]);
    story.finds(&[]);
}

#[test]
fn a_poll_that_reads_a_record_again() {
    let story = read_by_others().polled(3, &[(0, 10), (1, 11)]);
    let story = story.polled(3, &[(1, 11), (2, 12)]);
    story.finds(&[(Kind::NonmonotonicPoll, &[4, 5])]);
}

#[test]
fn one_step_back_is_reported_once() {
    let story = read_by_others().polled(3, &[(2, 12)]);
    let story = story.polled(3, &[(0, 10)]).polled(3, &[(1, 11), (2, 12)]);
    story.finds(&[(Kind::NonmonotonicPoll, &[4, 5])]);
}

#[test]
fn records_of_an_aborted_transaction_were_read_all_the_same() {
    let poll = |of| vec![Step::Poll(records(of))];
    let story = read_by_others().ran(3, poll(&[(0, 10)]), Outcome::Failed);
    let story = story.ran(3, poll(&[(2, 12)]), Outcome::Ok);
    story.finds(&[(Kind::PollSkip, &[4, 3, 5])]);
}

#[test]
fn a_seek_to_a_place_that_is_not_known_breaks_the_order() {
    let story = read_by_others().polled(3, &[(0, 10)]).sought(3, None);
    let story = story.polled(3, &[(2, 12)]).sought(3, None);
    story.polled(3, &[(0, 10)]).finds(&[]);
}

#[test]
fn a_seek_to_an_offset_is_where_the_next_record_is() {
    let to_1 = || read_by_others().polled(3, &[(0, 10)]).sought(3, Some(1));
    to_1().polled(3, &[(1, 11)]).finds(&[]);
    to_1()
        .polled(3, &[(2, 12)])
        .finds(&[(Kind::PollSkip, &[5, 3, 6])]);
    to_1()
        .polled(3, &[(0, 10)])
        .finds(&[(Kind::NonmonotonicPoll, &[5, 6])]);
}

#[test]
fn an_assignment_keeps_the_place_of_what_it_keeps() {
    let then = |story: Story| story.polled(3, &[(2, 12)]);
    let kept = read_by_others().polled(3, &[(0, 10)]).assigned(3, &[0, 1]);
    then(kept).finds(&[(Kind::PollSkip, &[4, 3, 6])]);
    let gone = read_by_others().polled(3, &[(0, 10)]).assigned(3, &[1]);
    then(gone.assigned(3, &[0])).finds(&[]);
}

#[test]
fn a_subscription_forgets_every_place() {
    let story = read_by_others().polled(3, &[(0, 10)]).subscribed(3);
    story.polled(3, &[(2, 12)]).finds(&[]);
}

#[test]
fn acknowledged_sends_in_the_wrong_order() {
    let story = story().sent(1, 10, 1).sent(1, 11, 0);
    let story = story.polled(2, &[(0, 11), (1, 10)]);
    story.finds(&[(Kind::NonmonotonicSend, &[0, 1])]);
}

#[test]
fn sends_of_two_processes_have_no_order() {
    let story = story().sent(1, 10, 1).sent(2, 11, 0);
    story.polled(2, &[(0, 11), (1, 10)]).finds(&[]);
}

#[test]
fn a_send_without_an_answer_that_arrived_late() {
    let story = story().tried(1, 10, Outcome::Unknown).sent(1, 11, 0);
    let story = story.polled(2, &[(0, 11), (1, 10)]);
    story.finds(&[(Kind::LateSend, &[0, 1])]);
}

#[test]
fn acknowledged_sends_are_compared_across_one_without_an_answer() {
    let story = story()
        .sent(1, 10, 2)
        .tried(1, 11, Outcome::Unknown)
        .sent(1, 12, 1);
    let story = story.polled(2, &[(0, 11), (1, 12), (2, 10)]);
    story.finds(&[(Kind::NonmonotonicSend, &[0, 2]), (Kind::LateSend, &[0, 1])]);
}

#[test]
fn the_acknowledged_offset_is_the_place_of_a_value_that_is_there_twice() {
    let story = story().sent(1, 10, 5).sent(1, 11, 3);
    let story = story.polled(2, &[(0, 10), (3, 11), (5, 10)]);
    story.finds(&[
        (Kind::Duplicate, &[2, 2]),
        (Kind::NonmonotonicSend, &[0, 1]),
    ]);
}

#[test]
fn a_value_without_an_answer_is_where_it_came_first() {
    let story = story().tried(1, 10, Outcome::Unknown).sent(1, 11, 3);
    let story = story.polled(2, &[(0, 10), (3, 11), (5, 10)]);
    story.finds(&[(Kind::Duplicate, &[2, 2])]);
}

#[test]
fn a_value_in_another_partition_has_no_place_in_the_order() {
    let story = story().tried(1, 10, Outcome::Unknown).sent(1, 11, 3);
    let story = story.polled(2, &[(3, 11)]).polled_elsewhere(2, &[(9, 10)]);
    story.finds(&[(Kind::Phantom, &[0, 3])]);
}

#[test]
fn a_value_of_the_transaction_itself_is_not_in_between() {
    let offsets = [(10, 0), (11, 2), (12, 1), (13, 3)];
    let steps = offsets.map(|(value, offset)| step(value, Some(offset)));
    let story = story().ran(1, steps.into(), Outcome::Ok);
    let story = story.polled(2, &[(0, 10), (1, 12), (2, 11), (3, 13)]);
    story.finds(&[(Kind::NonmonotonicSend, &[0, 0])]);
}

#[test]
fn what_was_aborted_has_no_place_in_the_order() {
    let aborted = vec![step(10, Some(5))];
    let story = story().ran(1, aborted, Outcome::Failed).sent(1, 11, 3);
    story.polled(2, &[(3, 11)]).finds(&[]);
}

#[test]
fn a_transaction_whose_sends_have_one_offset() {
    let steps = vec![step(10, Some(0)), step(11, Some(0))];
    let story = story().ran(1, steps, Outcome::Ok).polled(2, &[(0, 10)]);
    story.finds(&[
        (Kind::InconsistentOffset, &[1, 0]),
        (Kind::LostWrite, &[0, 1]),
    ]);
}

#[test]
fn a_value_between_two_of_a_transaction_is_reported_and_allowed() {
    let steps = vec![step(10, Some(0)), step(11, Some(2))];
    let story = story().ran(1, steps, Outcome::Ok).sent(2, 12, 1);
    let story = story.polled(3, &[(0, 10), (1, 12), (2, 11)]);
    story.finds(&[(Kind::SendSkip, &[0, 2])]);
    for promise in Promise::ALL {
        assert_eq!(story.report().breaches(promise).count(), 0);
    }
}

#[test]
fn promises_grow() {
    for kind in Kind::ALL {
        let forbids: Vec<bool> = Promise::ALL.map(|promise| promise.forbids(kind)).into();
        assert!(forbids.is_sorted(), "{kind}: {forbids:?}");
    }
    assert!(!Promise::AcksAll.forbids(Kind::Duplicate));
    assert!(!Promise::AcksAll.forbids(Kind::LateSend));
    assert!(Promise::Idempotent.forbids(Kind::Duplicate));
    assert!(Promise::Idempotent.forbids(Kind::LateSend));
    assert!(Promise::AcksAll.forbids(Kind::LostWrite));
}

#[test]
fn a_value_that_is_sent_twice_makes_it_no_history() {
    let story = story().sent(1, 10, 0).sent(2, 10, 1);
    let flaw = Flaw::SentTwice {
        value: 10,
        first: 0,
        second: 1,
    };
    assert_eq!(check(&story.0), Err(flaw));
}

#[test]
fn the_operations_of_a_process_are_in_order() {
    let mut story = story().sent(1, 10, 0).sent(1, 11, 1);
    story.0[1].invoked = 0;
    story.0[0].invoked = 1;
    assert_eq!(check(&story.0), Err(Flaw::OutOfOrder(1)));
    story.0[1].process = 2;
    assert!(check(&story.0).is_ok());
}

#[test]
fn a_transaction_that_was_not_asked_to_end_cannot_be_committed() {
    let story = story().left(1, vec![step(10, Some(0))], Outcome::Ok);
    assert_eq!(check(&story.0), Err(Flaw::NotAsked(0)));
}

#[test]
fn a_person_can_read_what_is_wrong() {
    let steps = vec![step(10, Some(0)), step(13, None)];
    let story = story()
        .sent(1, 11, 1)
        .sent(1, 12, 2)
        .ran(2, steps, Outcome::Failed);
    let story = story.polled(3, &[(0, 10), (2, 12)]);
    let text = story
        .report()
        .explain(&story.0, Promise::AcksAll)
        .to_string();
    let expected = "\
2 acknowledged, 2 failed, 0 unknown (0 of them read), 2 polled, 1 transactions
lost write                1  breaks acks-all
lost write in orders-0: no poll returned an acknowledged value, but one returned what is behind it
  #0          0.000 to     1.000 ms  process 1    sent 11: offset 1, acknowledged
  #3          6.000 to     7.000 ms  process 3    polled 12 at offset 2
aborted read              1  breaks acks-all
aborted read in orders-0: a poll returned a value that was not sent, or was aborted
  #2          4.000 to     5.000 ms  process 2    sent 10: offset 0, aborted (asked to end at 4.900 ms)
  #3          6.000 to     7.000 ms  process 3    polled 10 at offset 0
";
    assert_eq!(text, expected);
}
