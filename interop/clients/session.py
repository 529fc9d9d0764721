"""One producer and one consumer for a whole session, told what to do line by line.

`send X` sends X and says at which offset it was acknowledged; `read` says the
next record. Both clients live through whatever happens to the broker.
"""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

TOPIC = "session"
SECONDS_MAX = 60

address = sys.argv[1]
producer = KafkaProducer(bootstrap_servers=address)
consumer = None

for line in sys.stdin:
    command, _, value = line.strip().partition(" ")
    if command == "send":
        acknowledged = producer.send(TOPIC, value.encode()).get(timeout=SECONDS_MAX)
        print(f"acknowledged {value} at {acknowledged.offset}", flush=True)
    elif command == "read":
        if consumer is None:
            consumer = KafkaConsumer(
                bootstrap_servers=address, consumer_timeout_ms=SECONDS_MAX * 1000
            )
            consumer.assign([TopicPartition(TOPIC, 0)])
            consumer.seek_to_beginning()
        record = next(consumer)
        print(f"read {record.value.decode()} at {record.offset}", flush=True)
    else:
        sys.exit(f"unknown command {command!r}")
