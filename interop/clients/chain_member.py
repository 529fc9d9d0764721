"""A member of the chain of groups, of confluent-kafka: see interop/src/chain.rs.

Copies from one topic into the next, and says on stdout what it has committed and where it began.
"""

import argparse
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

COMMIT_EVERY = 0.2
BATCH = 1000
PATIENCE = 60


def now():
    return int(time.time() * 1000)


def say(*words):
    print(*words, flush=True)


class Copier:
    def __init__(self, told):
        self.told = told
        self.sent = 0
        self.undelivered = []
        self.fresh = {}
        self.copied = {}
        self.poll_began = 0
        self.committed_at = 0
        common = {"bootstrap.servers": told.bootstrap, "client.id": told.name, "log_level": 0}
        self.producer = Producer(
            {**common, "acks": "all", "max.in.flight": 1, "linger.ms": 5, "partitioner": "murmur2_random"}
        )
        self.consumer = Consumer(
            {
                **common,
                "group.id": told.group,
                "partition.assignment.strategy": told.assignor,
                "session.timeout.ms": 3000,
                "heartbeat.interval.ms": 500,
                "max.poll.interval.ms": 20000,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self.consumer.subscribe(
            [told.source], on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.lost
        )

    def assigned(self, consumer, partitions):
        for one in partitions:
            self.fresh[one.partition] = self.poll_began

    def revoked(self, consumer, partitions):
        # What was copied is committed before others go on.
        self.commit()
        self.lost(consumer, partitions)

    def lost(self, consumer, partitions):
        for one in partitions:
            self.fresh.pop(one.partition, None)
            self.copied.pop(one.partition, None)

    def delivered(self, error, message):
        if error is not None:
            self.undelivered.append(error)

    def round(self):
        self.poll_began = now()
        done = {}
        for message in self.consumer.consume(BATCH, 0.2):
            if message.error() is not None:
                say("refused", message.error())
                continue
            partition, offset = message.partition(), message.offset()
            if partition in self.fresh:
                say("start", partition, offset, self.fresh.pop(partition))
            number = message.value().split(b";")[0].decode()
            value = f"{number};{self.told.name};{self.sent};{now()};{partition};{offset}"
            self.sent += 1
            self.producer.produce(
                self.told.target, value, key=message.key(), on_delivery=self.delivered
            )
            done[partition] = offset + 1
        if self.producer.flush(PATIENCE) > 0 or self.undelivered:
            sys.exit(f"a copy was not delivered: {self.undelivered}")
        self.copied.update(done)
        if time.time() - self.committed_at >= COMMIT_EVERY:
            self.commit()

    def commit(self):
        self.committed_at = time.time()
        if not self.copied:
            return
        copied, self.copied = self.copied, {}
        topic = self.told.source
        offsets = [TopicPartition(topic, partition, offset) for partition, offset in copied.items()]
        try:
            committed = self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            say("refused", error)
            return
        for one in committed:
            if one.error is None:
                say("commit", one.partition, one.offset, now())


def main():
    parser = argparse.ArgumentParser()
    for name in ["bootstrap", "group", "name", "assignor"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    parser.add_argument("--mode", choices=["after"], required=True)
    copier = Copier(parser.parse_args())
    leaves = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), leaves.set()), daemon=True).start()
    while not leaves.is_set():
        copier.round()
    copier.commit()
    copier.consumer.close()


main()
