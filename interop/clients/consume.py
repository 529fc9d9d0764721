"""A consumer that assigns its partition itself.

    consume.py ADDRESS TOPIC SEEK TIMESTAMP...

Reads from the beginning to the end, then from offset SEEK to the end, and asks
for the offset of each TIMESTAMP. Prints all of it.
"""

import json
import sys

from kafka import KafkaConsumer, TopicPartition

address, topic, seek = sys.argv[1], sys.argv[2], int(sys.argv[3])
timestamps = [int(timestamp) for timestamp in sys.argv[4:]]
partition = TopicPartition(topic, 0)
consumer = KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=60_000)
consumer.assign([partition])
end = consumer.end_offsets([partition])[partition]


def read_to_end():
    """The records from the position to the end."""
    records = []
    while consumer.position(partition) < end:
        record = next(consumer)
        records.append(
            {
                "offset": record.offset,
                "timestamp": record.timestamp,
                "key": record.key and record.key.decode(),
                "value": record.value and record.value.decode(),
                "headers": [[name, value.decode()] for name, value in record.headers],
            }
        )
    return records


consumer.seek_to_beginning(partition)
everything = read_to_end()
consumer.seek(partition, seek)
rest = read_to_end()
found = []
for timestamp in timestamps:
    answer = consumer.offsets_for_times({partition: timestamp})[partition]
    found.append(answer and answer.offset)
print(
    json.dumps(
        {
            "beginning": consumer.beginning_offsets([partition])[partition],
            "end": end,
            "all": everything,
            "rest": rest,
            "found": found,
        }
    )
)
consumer.close()
