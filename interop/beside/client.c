// A client that is fast enough not to be the only limit: librdkafka from C.
//
//   client produce ADDRESS TOPIC ACKS SIZE COUNT [NAME=VALUE]...
//   client consume ADDRESS TOPIC COUNT
//   client latency ADDRESS TOPIC ACKS PER_SECOND SECONDS
//
// Settings are those of librdkafka.
// Prints `seconds count` (produce: from the first call until all are acknowledged;
// consume: from the assignment until the last record), or, for latency, the p50
// and the p99 from send to receipt in milliseconds.
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int PATIENCE_MS = 60000;
static long failed;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[512];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) die(error);
}

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client, (void)opaque;
    if (message->err) failed++;
}

static rd_kafka_t *open_client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char error[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
    if (!client) die(error);
    return client;
}

static rd_kafka_t *open_producer(const char *address, const char *acks, const char *linger_ms,
                                 char **settings) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", address);
    set(conf, "acks", acks);
    set(conf, "linger.ms", linger_ms);
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "queue.buffering.max.kbytes", "1048576");
    for (; *settings; settings++) {
        char *value = strchr(*settings, '=');
        if (!value) die("a setting is NAME=VALUE");
        *value = 0;
        set(conf, *settings, value + 1);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    return open_client(RD_KAFKA_PRODUCER, conf);
}

static rd_kafka_t *open_consumer(const char *address, const char *topic, int64_t offset,
                                 const char *wait_ms) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", address);
    set(conf, "group.id", "unused");
    set(conf, "enable.auto.commit", "false");
    set(conf, "check.crcs", "false");
    set(conf, "fetch.wait.max.ms", wait_ms);
    set(conf, "queued.min.messages", "1000000");
    rd_kafka_t *client = open_client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    if (rd_kafka_assign(client, list)) die("assign");
    rd_kafka_topic_partition_list_destroy(list);
    return client;
}

static void send_one(rd_kafka_t *client, rd_kafka_topic_t *topic, void *bytes, size_t size) {
    while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, bytes, size, NULL, 0, NULL)) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce");
        rd_kafka_poll(client, 10);
    }
}

static void produce(char **arguments) {
    rd_kafka_t *client = open_producer(arguments[0], arguments[2], "5", arguments + 5);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, arguments[1], NULL);
    size_t size = strtoul(arguments[3], NULL, 10);
    long count = atol(arguments[4]);
    char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++) bytes[i] = 'a' + (i * 7 + i / 26) % 26;
    int64_t started = now_ns();
    for (long i = 0; i < count; i++) {
        send_one(client, topic, bytes, size);
        if (i % 1000 == 0) rd_kafka_poll(client, 0);
    }
    if (rd_kafka_flush(client, PATIENCE_MS) || failed) die("not all were acknowledged");
    printf("%.6f %ld\n", (now_ns() - started) / 1e9, count);
}

static void consume(char **arguments) {
    long count = atol(arguments[2]), seen = 0;
    int64_t started = now_ns();
    rd_kafka_t *client = open_consumer(arguments[0], arguments[1], 0, "500");
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    enum { BATCH = 10000 };
    rd_kafka_message_t *messages[BATCH];
    while (seen < count) {
        // It waits until the batch is full or the time is over, so the time is short.
        ssize_t got = rd_kafka_consume_batch_queue(queue, 5, messages, BATCH);
        if (got <= 0 && now_ns() - started > PATIENCE_MS * 1000000LL) die("records are missing");
        for (ssize_t i = 0; i < got; i++) {
            if (!messages[i]->err) seen++;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    printf("%.6f %ld\n", (now_ns() - started) / 1e9, seen);
    // Closing would wait for the group's coordinator.
    fflush(stdout);
    _Exit(0);
}

static struct {
    rd_kafka_t *client;
    double *ms;
    long count;
} receiving;

static void *receive(void *unused) {
    (void)unused;
    for (long seen = 0; seen < receiving.count;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(receiving.client, PATIENCE_MS);
        if (!message) die("records are missing");
        int64_t sent;
        if (!message->err && message->len == sizeof sent) {
            memcpy(&sent, message->payload, sizeof sent);
            receiving.ms[seen++] = (now_ns() - sent) / 1e6;
        }
        rd_kafka_message_destroy(message);
    }
    return NULL;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void latency(char **arguments) {
    long per_second = atol(arguments[3]), count = per_second * atol(arguments[4]);
    rd_kafka_t *client = open_producer(arguments[0], arguments[2], "0", arguments + 5);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, arguments[1], NULL);
    // The topic is there, and both connections are warm, before the clock counts.
    char first[1] = "";
    send_one(client, topic, first, 1);
    if (rd_kafka_flush(client, PATIENCE_MS)) die("flush");
    receiving.client = open_consumer(arguments[0], arguments[1], 0, "500");
    receiving.ms = calloc(count, sizeof(double));
    receiving.count = count;
    pthread_t thread;
    pthread_create(&thread, NULL, receive, NULL);
    int64_t started = now_ns() + 500000000;
    for (long i = 0; i < count; i++) {
        int64_t due = started + i * 1000000000LL / per_second;
        struct timespec at = {due / 1000000000LL, due % 1000000000LL};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        int64_t sent = now_ns();
        send_one(client, topic, &sent, sizeof sent);
        rd_kafka_poll(client, 0);
    }
    pthread_join(thread, NULL);
    // The first half second warms up.
    long skipped = per_second / 2;
    double *ms = receiving.ms + skipped;
    count -= skipped;
    qsort(ms, count, sizeof *ms, by_size);
    printf("%.3f %.3f\n", ms[count / 2], ms[count * 99 / 100]);
    fflush(stdout);
    _Exit(0);
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    if (!strcmp(mode, "produce") && count >= 7) produce(arguments + 2);
    else if (!strcmp(mode, "consume") && count == 5) consume(arguments + 2);
    else if (!strcmp(mode, "latency") && count == 7) latency(arguments + 2);
    else if (!strcmp(mode, "version")) puts(rd_kafka_version_str());
    else die("see the head of client.c");
    return 0;
}
