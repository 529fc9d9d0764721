//! The log writer: call by call, then crashed at every call.

use spec_harness::case;

use super::{log_calls, log_crashes, log_faults, log_opens, log_orders};

#[test]
fn a_new_log_is_one_empty_segment() {
    case!(
        "An empty directory becomes a log with one empty segment, named after the log start.",
        log_calls::a_new_log_is_one_empty_segment
    );
}

#[test]
fn batches_are_written_one_behind_the_other() {
    case!(
        "Append returns where the batch is: the first at 0, each next one behind it.",
        log_calls::batches_are_written_one_behind_the_other
    );
}

#[test]
fn a_roll_names_the_segment_after_the_next_offset() {
    case!(
        "A roll creates a segment that begins at the log end, and returns the old one whole.",
        log_calls::a_roll_names_the_segment_after_the_next_offset
    );
}

#[test]
fn what_was_written_is_found_again() {
    case!(
        "A log that is opened again has the same segments and the same end.",
        log_calls::what_was_written_is_found_again
    );
}

#[test]
fn opening_visits_the_batches_that_it_walks() {
    case!(
        "Whoever opens the log gets each walked batch once: segment, position, header.",
        log_opens::opening_visits_the_batches_that_it_walks
    );
}

#[test]
fn a_batch_may_be_larger_than_a_window() {
    case!(
        "The walk reads in pieces, and a batch may be larger than one.",
        log_calls::a_batch_may_be_larger_than_a_window
    );
}

#[test]
fn a_batch_may_be_larger_than_a_mebibyte() {
    case!(
        "A batch may have as many bytes as append takes: whatever was synced is whole.",
        log_calls::a_batch_may_be_larger_than_a_mebibyte
    );
}

#[test]
fn offsets_may_have_gaps() {
    case!(
        "The log ends behind the last offset of the last batch, whatever offset that batch began with.",
        log_calls::offsets_may_have_gaps
    );
}

#[test]
fn an_append_is_one_write_and_a_roll_one_new_file() {
    case!(
        "Append and roll never wait for the disk: no sync, no read, one write for a batch.",
        log_calls::an_append_is_one_write_and_a_roll_one_new_file
    );
}

#[test]
fn a_sync_covers_every_file_once() {
    case!(
        "A sync is one per file, and one of the directory if a segment is new.",
        log_calls::a_sync_covers_every_file_once
    );
}

#[test]
fn a_torn_tail_is_cut_off() {
    case!(
        "Cut at any byte, the log ends behind its last whole batch, and so does the file.",
        log_opens::a_torn_tail_is_cut_off
    );
}

#[test]
fn the_log_ends_at_the_first_hole() {
    case!(
        "A segment that does not begin where the one before ends is not part of the log, nor is what follows.",
        log_opens::the_log_ends_at_the_first_hole
    );
}

#[test]
fn a_torn_segment_ends_the_log_although_others_follow() {
    case!(
        "What follows a torn batch is not part of the log, though it is whole.",
        log_opens::a_torn_segment_ends_the_log_although_others_follow
    );
}

#[test]
fn what_follows_a_torn_tail_is_not_part_of_the_log() {
    case!(
        "A torn tail ends the log, though the next segment begins exactly where the whole batches end.",
        log_opens::what_follows_a_torn_tail_is_not_part_of_the_log
    );
}

#[test]
fn segments_that_overlap_are_a_hole_too() {
    case!(
        "A segment that begins below the end of the one before is not part of the log.",
        log_opens::segments_that_overlap_are_a_hole_too
    );
}

#[test]
fn the_log_begins_with_its_first_segment() {
    case!(
        "The first segment has none before it: the log begins with it, even above the log start.",
        log_opens::the_log_begins_with_its_first_segment
    );
}

#[test]
fn a_damaged_length_is_not_believed() {
    case!(
        "A damaged length asks for more than the file has: it ends the log and takes no memory.",
        log_opens::a_damaged_length_is_not_believed
    );
}

#[test]
fn below_the_recovery_point_nothing_is_cut() {
    case!(
        "A log that would end below the recovery point is damaged: that is an error, and nothing is changed.",
        log_opens::below_the_recovery_point_nothing_is_cut
    );
}

#[test]
fn the_recovery_point_is_the_end_of_a_batch() {
    case!(
        "A base offset is not covered by the CRC: a batch that passes over the recovery point is damage.",
        log_opens::the_recovery_point_is_the_end_of_a_batch
    );
}

#[test]
fn a_segment_below_the_recovery_point_is_not_read() {
    case!(
        "A start after a clean stop reads the last segment only, and writes nothing again.",
        log_opens::a_segment_below_the_recovery_point_is_not_read
    );
}

#[test]
fn small_batches_are_read_together() {
    case!(
        "A start after a crash reads a segment in large pieces, however small its batches are.",
        log_opens::small_batches_are_read_together
    );
}

#[test]
fn segments_below_the_log_start_go() {
    case!(
        "A segment wholly below the log start is removed; one that holds it stays.",
        log_opens::segments_below_the_log_start_go
    );
}

#[test]
fn a_log_that_ends_below_its_start_begins_again_there() {
    case!(
        "Records up to 9 were deleted, and a crash has lost them too: the next one gets offset 9, not an old one.",
        log_opens::a_log_that_ends_below_its_start_begins_again_there
    );
}

#[test]
fn a_failed_read_is_not_the_end() {
    case!(
        "A read that fails once is an error, not the end of the log: what is behind it was synced.",
        log_faults::a_failed_read_is_not_the_end
    );
}

#[test]
fn a_failed_call_fails_the_open() {
    case!(
        "When a call of open fails, open fails: what it could not remove, cut, write or sync would come back.",
        log_faults::a_failed_call_fails_the_open
    );
}

#[test]
fn what_was_cut_off_stays_cut_off() {
    case!(
        "When open returns, what it has cut off and removed is so on disk: a power failure changes nothing.",
        log_orders::what_was_cut_off_stays_cut_off
    );
}

#[test]
fn old_segments_go_when_the_new_one_is_on_disk() {
    case!(
        "A log that begins again keeps its old segments until the new one has a name on disk.",
        log_orders::old_segments_go_when_the_new_one_is_on_disk
    );
}

#[test]
fn a_failed_write_leaves_nothing() {
    case!(
        "Any part of a batch may be in the file when its write fails. None of it may stand before the next segment.",
        log_calls::a_failed_write_leaves_nothing
    );
}

#[test]
fn a_write_that_cannot_be_cut_off_takes_the_log_offline() {
    case!(
        "When a failed write cannot be cut off either, nothing more is written.",
        log_calls::a_write_that_cannot_be_cut_off_takes_the_log_offline
    );
}

#[test]
fn a_failed_roll_leaves_the_old_segment() {
    case!(
        "When the new segment cannot be created, the old one goes on being written.",
        log_calls::a_failed_roll_leaves_the_old_segment
    );
}

#[test]
fn whatever_a_power_failure_leaves_is_a_prefix() {
    case!(
        "After a power failure before any call, everything that was synced is there, and of the rest a prefix.",
        log_crashes::power_failures
    );
}

#[test]
fn any_script_may_be_interrupted() {
    case!(
        "The same for any order of calls.",
        log_crashes::power_failures_anywhere
    );
}

#[test]
fn the_power_may_fail_again_while_opening() {
    case!(
        "A second power failure may come while the log is being opened.",
        log_crashes::power_failures_while_opening
    );
}

#[test]
fn a_killed_process_loses_nothing() {
    case!(
        "A killed process loses nothing that was appended: the page cache lives on.",
        log_crashes::kills
    );
}

#[test]
fn a_call_that_fails_loses_nothing_that_was_synced() {
    case!(
        "Whatever call fails, what was synced survives.",
        log_crashes::failures
    );
}

#[test]
fn the_log_goes_on_after_a_failed_call() {
    case!(
        "After a failed append or roll the log goes on as if it had not been called.",
        log_crashes::failures_that_it_survives
    );
}

#[test]
fn a_failed_sync_loses_nothing_that_is_synced_later() {
    case!(
        "A failed sync forgets. A log that is opened after it believes nothing that is only in the page cache.",
        log_crashes::failed_syncs
    );
}

#[test]
fn a_cut_that_a_failed_sync_forgot_is_made_again() {
    case!(
        "A cut may be in the page cache alone, too: what was cut off must not come back before the next segment.",
        log_crashes::forgotten_cuts
    );
}

#[test]
fn a_full_disk_loses_nothing() {
    case!(
        "A disk may be full at any byte: what was taken stays, and the log goes on when there is room.",
        log_crashes::full_disks
    );
}

#[test]
fn more_than_one_read_is_written_again() {
    case!(
        "After a failed sync all that is kept above the recovery point is written again, however much it is.",
        log_crashes::long_rewrites
    );
}
