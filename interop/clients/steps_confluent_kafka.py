"""confluent-kafka, which is librdkafka with Python around it, through the steps of `steps.py`."""

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import steps


def produce(address, topic, acks, numbers):
    """Returns the offsets at which the records were acknowledged."""
    offsets = []

    def acknowledged(error, message):
        if error is not None:
            raise RuntimeError(str(error))
        offsets.append(message.offset())

    producer = Producer({"bootstrap.servers": address, "acks": acks})
    for number in numbers:
        producer.produce(
            topic,
            steps.value(number),
            partition=0,
            timestamp=steps.timestamp(number),
            on_delivery=acknowledged,
        )
    producer.flush(steps.PATIENCE_S)
    return offsets


def main(address, topic):
    """Returns what each step gave."""
    admin = AdminClient({"bootstrap.servers": address})
    for created in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        created.result(steps.PATIENCE_S)
    acknowledged = produce(address, topic, "1", steps.ACKS_1)
    acknowledged += produce(address, topic, "all", steps.ACKS_ALL)

    # Without a group to commit to, close() has nobody to wait for.
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    values = []
    while len(values) < len(acknowledged):
        message = consumer.poll(steps.PATIENCE_S)
        if message is None:
            raise RuntimeError(f"{len(values)} records, then none")
        if message.error() is not None:
            raise RuntimeError(str(message.error()))
        values.append(message.value().decode())
    found = []
    for timestamp in steps.LOOK_UPS:
        asked = [TopicPartition(topic, 0, timestamp)]
        (answer,) = consumer.offsets_for_times(asked, timeout=steps.PATIENCE_S)
        found.append(answer.offset if answer.offset >= 0 else None)
    consumer.close()
    for deleted in admin.delete_topics([topic]).values():
        deleted.result(steps.PATIENCE_S)
    after = list(admin.list_topics(timeout=steps.PATIENCE_S).topics)
    return steps.Outcome(acknowledged, values, found, after)


steps.run(main)
