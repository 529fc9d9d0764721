"""Sends with all of the producer's defaults, which are idempotence and acks=all.

    produce.py ADDRESS TOPIC COUNT

The records are 10 ms apart. Prints the offset at which each was acknowledged.
"""

import json
import sys
import time

from kafka import KafkaProducer

address, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
producer = KafkaProducer(bootstrap_servers=address)
started = int(time.time() * 1000)
futures = [
    producer.send(
        topic,
        key=b"key-%d" % i,
        value=b"value-%d" % i,
        headers=[("number", b"%d" % i)],
        timestamp_ms=started + 10 * i,
    )
    for i in range(count)
]
producer.flush(timeout=60)
print(json.dumps([future.get(timeout=60).offset for future in futures]))
producer.close()
