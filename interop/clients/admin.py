"""Creates a topic, looks at it, and deletes it.

    admin.py ADDRESS TOPIC

Prints what each step saw.
"""

import json
import sys

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

address, topic = sys.argv[1], sys.argv[2]
admin = KafkaAdminClient(bootstrap_servers=address)


def refusal(step):
    """The name of the error that `step` ends with."""
    try:
        step()
    except KafkaError as error:
        return type(error).__name__
    return None


def create(name, partitions=3, configs=None):
    """Creates a topic."""
    admin.create_topics(
        [
            NewTopic(
                name=name,
                num_partitions=partitions,
                replication_factor=1,
                topic_configs=configs or {},
            )
        ]
    )


seen = {}
create(topic, configs={"retention.ms": "60000"})
seen["topics"] = admin.list_topics()
description = admin.describe_topics([topic])[0]
seen["partitions"] = sorted(p["partition_index"] for p in description["partitions"])
seen["again"] = refusal(lambda: create(topic))
seen["bad name"] = refusal(lambda: create("no spaces"))
seen["no partitions"] = refusal(lambda: create("empty", partitions=0))
seen["bad setting"] = refusal(lambda: create("odd", configs={"retention.ms": "soon"}))
resource = ConfigResource(ConfigResourceType.TOPIC, topic)
configs = admin.describe_configs([resource], config_filter="all")["topic"][topic]
seen["configs"] = {name: config["value"] for name, config in configs.items()}
modified = admin.describe_configs([resource])["topic"][topic]
seen["modified"] = {name: config["value"] for name, config in modified.items()}
admin.delete_topics([topic])
seen["topics after delete"] = admin.list_topics()
seen["delete again"] = refusal(lambda: admin.delete_topics([topic]))
print(json.dumps(seen))
admin.close()
