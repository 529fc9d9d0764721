"""kafka-python through the steps of `steps.py`, from version 2.0.2 to the present one."""

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

import steps

VERSION = tuple(int(part) for part in kafka.__version__.split(".")[:2])


def produce(address, topic, acks, numbers):
    """Returns the offsets at which the records were acknowledged."""
    # From 2.1 on a producer is idempotent by default, which excludes acks=1.
    options = {"enable_idempotence": False} if VERSION >= (2, 1) and acks == 1 else {}
    producer = KafkaProducer(bootstrap_servers=address, acks=acks, **options)
    futures = [
        producer.send(
            topic, steps.value(number), partition=0, timestamp_ms=steps.timestamp(number)
        )
        for number in numbers
    ]
    offsets = [future.get(timeout=steps.PATIENCE_S).offset for future in futures]
    producer.close()
    return offsets


def main(address, topic):
    """Returns what each step gave."""
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic(name=topic, num_partitions=1, replication_factor=1)])
    acknowledged = produce(address, topic, 1, steps.ACKS_1)
    acknowledged += produce(address, topic, "all", steps.ACKS_ALL)

    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(
        bootstrap_servers=address, consumer_timeout_ms=steps.PATIENCE_S * 1000
    )
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    values = [next(consumer).value.decode() for _ in acknowledged]
    found = []
    for timestamp in steps.LOOK_UPS:
        answer = consumer.offsets_for_times({partition: timestamp})[partition]
        found.append(answer and answer.offset)
    consumer.close()
    admin.delete_topics([topic])
    after = list(admin.list_topics())
    admin.close()
    return steps.Outcome(acknowledged, values, found, after)


steps.run(main)
