//! JoinGroup (11): become a member of a group, and wait until the others have.

use bytes::Bytes;

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks to be in the next generation of a group.
    JoinGroupRequest {
        group_id: String;
        /// After how long without a heartbeat the member is gone, in milliseconds.
        session_timeout_ms: i32;
        /// How long the others wait for this member to join again, in milliseconds;
        /// -1: as long as the session timeout.
        rebalance_timeout_ms: i32 [1.., ignorable] = -1;
        /// What the coordinator called the member; empty: it is new.
        member_id: String;
        /// The name that a static member keeps when it restarts.
        group_instance_id: Option<String> [5..];
        /// `consumer` for consumers; all members have the same.
        protocol_type: String;
        /// The protocols that the member speaks, the best first.
        protocols: Vec<JoinGroupProtocol>;
    }
    /// A protocol of a [`JoinGroupRequest`].
    JoinGroupProtocol {
        /// For consumers, an assignor.
        name: String;
        /// For the leader of the group; for consumers, what they subscribe to.
        metadata: Bytes;
    }
    /// The generation.
    JoinGroupResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [2.., ignorable];
        error_code: ErrorCode;
        /// -1 with an error.
        generation_id: i32 = -1;
        protocol_type: Option<String> [7.., ignorable];
        /// The protocol that all members speak; null with an error, which is the
        /// empty name in versions below 7.
        protocol_name: Option<String> [0.., ignorable; null 7..];
        /// The member that assigns.
        leader: String;
        /// What the coordinator calls the member.
        member_id: String;
        /// All members, for the leader; empty for the others.
        members: Vec<JoinGroupMember>;
    }
    /// A member of a [`JoinGroupResponse`].
    JoinGroupMember {
        member_id: String;
        group_instance_id: Option<String> [5.., ignorable];
        /// What the member sent with the protocol that was chosen.
        metadata: Bytes;
    }
}
