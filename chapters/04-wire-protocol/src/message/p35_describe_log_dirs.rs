//! DescribeLogDirs (35): the folders of a broker, and what the partitions take there.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks about folders.
    DescribeLogDirsRequest {
        /// Null: all topics.
        topics: Option<Vec<DescribableLogDirTopic>>;
    }
    /// A topic of a [`DescribeLogDirsRequest`].
    DescribableLogDirTopic {
        topic: String;
        partitions: Vec<i32>;
    }
    /// The folders.
    DescribeLogDirsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        error_code: ErrorCode [3.., ignorable];
        results: Vec<DescribedLogDir>;
    }
    /// A folder of a [`DescribeLogDirsResponse`].
    DescribedLogDir {
        error_code: ErrorCode;
        /// Its absolute path.
        log_dir: String;
        topics: Vec<DescribedLogDirTopic>;
        /// The size of the folder's volume, in bytes; -1: not known.
        total_bytes: i64 [4.., ignorable] = -1;
        /// What is free of it; -1: not known.
        usable_bytes: i64 [4.., ignorable] = -1;
    }
    /// A topic of a [`DescribedLogDir`].
    DescribedLogDirTopic {
        name: String;
        partitions: Vec<DescribedLogDirPartition>;
    }
    /// A partition of a [`DescribedLogDirTopic`].
    DescribedLogDirPartition {
        partition_index: i32;
        /// The size of its segments, in bytes.
        partition_size: i64;
        /// How many records its log is behind the partition's.
        offset_lag: i64;
        /// Whether the partition is on its way into this folder.
        is_future_key: bool;
    }
}
