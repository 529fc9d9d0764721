import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The Java client: {@code Features ADDRESS FEATURE PREFIX}; see README.md. */
public final class Features {
    private static final Duration PATIENCE = Duration.ofSeconds(50);
    private static final long FIRST_TIMESTAMP = 1_700_000_000_000L;

    private final String address;
    private final String prefix;
    private final Admin admin;

    private Features(String address, String prefix) {
        this.address = address;
        this.prefix = prefix;
        this.admin = Admin.create(properties(Map.of()));
    }

    public static void main(String[] arguments) {
        int code = 0;
        Features features = new Features(arguments[0], arguments[2]);
        try {
            features.run(arguments[1]);
        } catch (Throwable error) {
            error.printStackTrace();
            code = 1;
        }
        // Clients that a failure left open do not hold up the end.
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    private void run(String feature) throws Exception {
        switch (feature) {
            case "topics" -> topics();
            case "configs" -> configs();
            case "partitions" -> partitions();
            case "acks" -> acks();
            case "records" -> records();
            case "codecs" -> codecs();
            case "idempotent" -> idempotent();
            case "large" -> large();
            case "many-partitions" -> manyPartitions();
            case "seek-time" -> seekTime();
            case "delete-records" -> deleteRecords();
            case "commit" -> commit();
            case "group" -> group();
            case "static" -> staticMembers();
            case "cooperative" -> cooperative();
            case "regex" -> regex();
            case "group-admin" -> groupAdmin();
            case "transaction" -> transaction();
            case "fencing" -> fencing();
            case "transactional-offsets" -> transactionalOffsets();
            case "transaction-timeout" -> transactionTimeout();
            default -> throw new IllegalArgumentException(feature);
        }
    }

    // What every feature uses.

    private Properties properties(Map<String, ?> more) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        properties.putAll(more);
        return properties;
    }

    private static void expect(String what, Object got, Object expected) {
        if (!got.equals(expected)) {
            throw new AssertionError(what + ": expected " + expected + ", got " + got);
        }
    }

    private static void until(String what, BooleanSupplier look) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!look.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + ": not within " + PATIENCE);
            }
            Thread.onSpinWait();
        }
    }

    private static <T> T done(Future<T> future) {
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            throw new IllegalStateException(error.getCause());
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    private void create(String topic, int partitions, Map<String, String> configs) {
        NewTopic wanted = new NewTopic(topic, partitions, (short) 1).configs(configs);
        done(admin.createTopics(List.of(wanted)).all());
    }

    private static long timestamp(int number) {
        return FIRST_TIMESTAMP + number * 10L;
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, Integer partition, String value) {
        return new ProducerRecord<>(topic, partition, null, value.getBytes());
    }

    private List<Long> produce(
            List<ProducerRecord<byte[], byte[]>> records, Map<String, ?> settings) {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        properties(settings), new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = records.stream().map(producer::send).toList();
            producer.flush();
            return sent.stream().map(future -> done(future).offset()).toList();
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer(String group, Map<String, ?> more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        if (group != null) {
            settings.put("group.id", group);
        }
        settings.putAll(more);
        return new KafkaConsumer<>(
                properties(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** The next {@code count} records. */
    private static List<ConsumerRecord<byte[], byte[]>> read(
            KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        until(count + " records", () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(found::add);
            return found.size() >= count;
        });
        return found;
    }

    private static List<TopicPartition> parts(String topic, int count) {
        return IntStream.range(0, count).mapToObj(n -> new TopicPartition(topic, n)).toList();
    }

    private List<ConsumerRecord<byte[], byte[]>> readAssigned(
            String topic, int partitions, int count, Map<String, ?> settings) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(null, settings)) {
            consumer.assign(parts(topic, partitions));
            consumer.seekToBeginning(parts(topic, partitions));
            return read(consumer, count);
        }
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "null" : new String(bytes);
    }

    private static List<String> values(List<ConsumerRecord<byte[], byte[]>> records) {
        return records.stream().map(record -> text(record.value())).toList();
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toList();
    }

    // The features.

    private boolean isListed(String topic) {
        return done(admin.listTopics().names()).contains(topic);
    }

    private TopicDescription described(String topic) {
        return done(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
    }

    private void topics() {
        String topic = prefix + "-topics";
        create(topic, 3, Map.of());
        until("the topic is listed", () -> isListed(topic));
        TopicDescription found = described(topic);
        expect("partitions", found.partitions().size(), 3);
        expect("leaders", found.partitions().stream().allMatch(part -> part.leader() != null), true);
        try {
            create(topic, 3, Map.of());
            throw new AssertionError("the same topic was created again");
        } catch (IllegalStateException error) {
            expect("the error", error.getCause().getClass(), TopicExistsException.class);
        }
        done(admin.deleteTopics(List.of(topic)).all());
        until("it is gone", () -> !isListed(topic));
    }

    private String retention(ConfigResource resource) {
        return done(admin.describeConfigs(List.of(resource)).all())
                .get(resource)
                .get("retention.ms")
                .value();
    }

    private void configs() {
        String topic = prefix + "-configs";
        create(topic, 1, Map.of("retention.ms", "60000"));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        expect("as created", retention(resource), "60000");
        AlterConfigOp change =
                new AlterConfigOp(new ConfigEntry("retention.ms", "120000"), AlterConfigOp.OpType.SET);
        done(admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all());
        until("as altered", () -> retention(resource).equals("120000"));
    }

    private void partitions() {
        String topic = prefix + "-partitions";
        create(topic, 2, Map.of());
        produce(List.of(record(topic, 1, "before")), Map.of());
        done(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all());
        until("five partitions", () -> described(topic).partitions().size() == 5);
        produce(List.of(record(topic, 4, "after")), Map.of());
        Set<String> found = new TreeSet<>(values(readAssigned(topic, 5, 2, Map.of())));
        expect("records", found, new TreeSet<>(List.of("after", "before")));
    }

    private void acks() {
        String topic = prefix + "-acks";
        create(topic, 1, Map.of());
        List<String> expected = new ArrayList<>();
        for (String level : List.of("0", "1", "all")) {
            List<String> values = numbers(0, 10).stream().map(n -> level + "-" + n).toList();
            expected.addAll(values);
            Map<String, String> settings = Map.of("acks", level, "enable.idempotence", "false");
            produce(values.stream().map(value -> record(topic, 0, value)).toList(), settings);
        }
        expect("records", values(readAssigned(topic, 1, 30, Map.of())), expected);
    }

    private static String show(byte[] key, byte[] value, long timestamp, Iterable<Header> headers) {
        StringBuilder shown = new StringBuilder();
        shown.append(text(key)).append(' ').append(text(value)).append(' ').append(timestamp);
        headers.forEach(h -> shown.append(' ').append(h.key()).append('=').append(text(h.value())));
        return shown.toString();
    }

    private void records() {
        String topic = prefix + "-records";
        create(topic, 1, Map.of());
        ProducerRecord<byte[], byte[]> first =
                new ProducerRecord<>(topic, 0, timestamp(1), "key".getBytes(), "value".getBytes());
        first.headers().add("a", "1".getBytes()).add("a", new byte[0]).add("b", null);
        List<ProducerRecord<byte[], byte[]>> sent =
                List.of(
                        first,
                        new ProducerRecord<>(topic, 0, timestamp(2), null, "without a key".getBytes()),
                        new ProducerRecord<>(topic, 0, timestamp(3), "deleted".getBytes(), (byte[]) null),
                        new ProducerRecord<>(topic, 0, timestamp(4), new byte[0], new byte[0]));
        produce(sent, Map.of());
        List<String> got =
                readAssigned(topic, 1, 4, Map.of()).stream()
                        .map(r -> show(r.key(), r.value(), r.timestamp(), r.headers()))
                        .toList();
        List<String> expected =
                sent.stream()
                        .map(r -> show(r.key(), r.value(), r.timestamp(), r.headers()))
                        .toList();
        expect("records", got, expected);
    }

    private void codecs() {
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd", "none")) {
            String topic = prefix + "-" + codec;
            create(topic, 1, Map.of());
            List<String> sent =
                    numbers(0, 100).stream().map(n -> codec + n + "x".repeat(200)).toList();
            produce(
                    sent.stream().map(value -> record(topic, 0, value)).toList(),
                    Map.of("compression.type", codec, "linger.ms", "50"));
            expect(codec, values(readAssigned(topic, 1, 100, Map.of())), sent);
        }
    }

    private void idempotent() {
        String topic = prefix + "-idempotent";
        create(topic, 1, Map.of());
        List<String> sent = numbers(0, 1_000);
        produce(
                sent.stream().map(value -> record(topic, 0, value)).toList(),
                Map.of("enable.idempotence", "true"));
        expect("records", values(readAssigned(topic, 1, 1_000, Map.of())), sent);
    }

    private void large() {
        String topic = prefix + "-large";
        create(topic, 1, Map.of("max.message.bytes", "11534336"));
        byte[] value = new byte[10 * 1024 * 1024];
        new Random(1).nextBytes(value);
        produce(
                List.of(new ProducerRecord<>(topic, 0, null, value)),
                Map.of("max.request.size", "11534336", "buffer.memory", "33554432"));
        ConsumerRecord<byte[], byte[]> found =
                readAssigned(topic, 1, 1, Map.of("max.partition.fetch.bytes", "11534336")).get(0);
        expect("10 MiB", Arrays.equals(found.value(), value), true);
    }

    private void manyPartitions() {
        String topic = prefix + "-many";
        create(topic, 1_000, Map.of());
        List<ProducerRecord<byte[], byte[]>> sent =
                IntStream.range(0, 1_000).mapToObj(n -> record(topic, n, "" + n)).toList();
        expect("acknowledged", produce(sent, Map.of()).size(), 1_000);
        Set<String> found =
                readAssigned(topic, 1_000, 1_000, Map.of()).stream()
                        .map(r -> r.partition() + " " + text(r.value()))
                        .collect(Collectors.toSet());
        expect(
                "records",
                found,
                numbers(0, 1_000).stream().map(n -> n + " " + n).collect(Collectors.toSet()));
    }

    private void seekTime() {
        String topic = prefix + "-time";
        create(topic, 1, Map.of());
        List<ProducerRecord<byte[], byte[]>> sent = new ArrayList<>();
        for (int n = 0; n < 40; n++) {
            sent.add(new ProducerRecord<>(topic, 0, timestamp(n), null, ("" + n).getBytes()));
        }
        produce(sent, Map.of());
        TopicPartition part = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(null, Map.of())) {
            List<Long> found = new ArrayList<>();
            for (long when :
                    List.of(timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1)) {
                OffsetAndTimestamp answer = consumer.offsetsForTimes(Map.of(part, when)).get(part);
                found.add(answer == null ? -1 : answer.offset());
            }
            expect("offsets", found, List.of(0L, 15L, 39L, -1L));
            consumer.assign(List.of(part));
            consumer.seek(part, 15);
            expect("behind the seek", text(read(consumer, 1).get(0).value()), "15");
        }
    }

    private void deleteRecords() {
        String topic = prefix + "-delete";
        create(topic, 1, Map.of());
        produce(numbers(0, 10).stream().map(n -> record(topic, 0, n)).toList(), Map.of());
        TopicPartition part = new TopicPartition(topic, 0);
        long low =
                done(admin.deleteRecords(Map.of(part, RecordsToDelete.beforeOffset(6)))
                                .lowWatermarks()
                                .get(part))
                        .lowWatermark();
        expect("low watermark", low, 6L);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(null, Map.of())) {
            expect("earliest", consumer.beginningOffsets(List.of(part)).get(part), 6L);
            consumer.assign(List.of(part));
            consumer.seek(part, 0);
            expect("records", values(read(consumer, 4)), numbers(6, 10));
        }
    }

    private void commit() {
        String topic = prefix + "-commit";
        create(topic, 1, Map.of());
        produce(numbers(0, 10).stream().map(n -> record(topic, 0, n)).toList(), Map.of());
        TopicPartition part = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(topic, Map.of())) {
            consumer.assign(List.of(part));
            consumer.commitSync(Map.of(part, new OffsetAndMetadata(7, "note")));
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(topic, Map.of())) {
            OffsetAndMetadata found = consumer.committed(Set.of(part)).get(part);
            expect("committed", found.offset() + found.metadata(), "7note");
            consumer.subscribe(List.of(topic));
            expect("the next record", text(read(consumer, 1).get(0).value()), "7");
        }
    }

    /** A consumer of a group, and what it was told. */
    private static final class Member implements ConsumerRebalanceListener, AutoCloseable {
        final KafkaConsumer<byte[], byte[]> consumer;
        final Set<String> seen = new HashSet<>();
        final List<Integer> revoked = new ArrayList<>();
        int rebalances;

        Member(KafkaConsumer<byte[], byte[]> consumer, String topic) {
            this.consumer = consumer;
            consumer.subscribe(List.of(topic), this);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (!partitions.isEmpty()) {
                revoked.add(partitions.size());
            }
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            rebalances += 1;
        }

        void poll() {
            consumer.poll(Duration.ofMillis(50))
                    .forEach(record -> seen.add(record.partition() + " " + record.offset()));
        }

        int owned() {
            return consumer.assignment().size();
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    private Member member(String topic, Map<String, ?> settings) {
        return new Member(consumer(topic, settings), topic);
    }

    private static void own(int each, Member... members) {
        until("each owns " + each, () -> {
            boolean all = true;
            for (Member member : members) {
                member.poll();
                all &= member.owned() == each;
            }
            return all;
        });
    }

    private void filled(String topic) {
        create(topic, 4, Map.of());
        List<ProducerRecord<byte[], byte[]>> sent =
                IntStream.range(0, 400).mapToObj(n -> record(topic, n % 4, "" + n)).toList();
        produce(sent, Map.of());
    }

    private static void commitAll(Member member, String topic) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        parts(topic, 4).forEach(part -> offsets.put(part, new OffsetAndMetadata(100)));
        member.consumer.commitSync(offsets);
    }

    private void group() {
        String topic = prefix + "-group";
        filled(topic);
        try (Member first = member(topic, Map.of())) {
            own(4, first);
            try (Member second = member(topic, Map.of())) {
                own(2, first, second);
                until("all 400", () -> {
                    first.poll();
                    second.poll();
                    Set<String> all = new HashSet<>(first.seen);
                    all.addAll(second.seen);
                    return all.size() == 400;
                });
            }
            own(4, first);
            // If a poll ends while it asks for committed offsets, the next question for the
            // same partitions gets that answer, from before the commit.
            parts(topic, 4).forEach(first.consumer::position);
            commitAll(first, topic);
            Set<TopicPartition> asked = Set.copyOf(parts(topic, 4));
            long sum =
                    first.consumer.committed(asked).values().stream()
                            .mapToLong(OffsetAndMetadata::offset)
                            .sum();
            expect("committed", sum, 400L);
        }
    }

    private void staticMembers() {
        String topic = prefix + "-static";
        filled(topic);
        Map<String, String> ids = Map.of("group.instance.id", prefix + "-a");
        Map<String, String> otherIds = Map.of("group.instance.id", prefix + "-b");
        try (Member first = member(topic, ids)) {
            Set<TopicPartition> before;
            try (Member second = member(topic, otherIds)) {
                own(2, first, second);
                before = second.consumer.assignment();
            }
            int seen = first.rebalances;
            try (Member second = member(topic, otherIds)) {
                own(2, first, second);
                expect("its partitions", second.consumer.assignment(), before);
                expect("rebalances of the first", first.rebalances, seen);
            }
        }
    }

    private void cooperative() {
        String topic = prefix + "-cooperative";
        filled(topic);
        Map<String, String> strategy =
                Map.of("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
        try (Member first = member(topic, strategy)) {
            own(4, first);
            try (Member second = member(topic, strategy)) {
                own(2, first, second);
                expect("given up", first.revoked, List.of(2));
            }
        }
    }

    private void regex() {
        for (String name : List.of("a", "b")) {
            String topic = prefix + "-re-" + name;
            create(topic, 1, Map.of());
            produce(List.of(record(topic, 0, name)), Map.of());
        }
        Map<String, String> settings = Map.of("metadata.max.age.ms", "1000");
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(prefix + "-regex", settings)) {
            consumer.subscribe(Pattern.compile(prefix + "-re-.*"));
            Set<String> both = new TreeSet<>(values(read(consumer, 2)));
            expect("both", both, new TreeSet<>(List.of("a", "b")));
            // The rebalance to come begins where the last commit ends.
            consumer.commitSync();
            create(prefix + "-re-c", 1, Map.of());
            produce(List.of(record(prefix + "-re-c", 0, "c")), Map.of());
            expect("the new one", values(read(consumer, 1)), List.of("c"));
        }
    }

    private boolean isGroup(String group) {
        return done(admin.listGroups(ListGroupsOptions.forConsumerGroups()).all()).stream()
                .map(GroupListing::groupId)
                .anyMatch(group::equals);
    }

    private String state(String group) {
        ConsumerGroupDescription found =
                done(admin.describeConsumerGroups(List.of(group)).all()).get(group);
        return found.groupState() + " " + found.members().size();
    }

    private Set<Long> offsets(String group) {
        return done(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .values()
                .stream()
                .map(OffsetAndMetadata::offset)
                .collect(Collectors.toSet());
    }

    private void groupAdmin() {
        String topic = prefix + "-admin";
        filled(topic);
        try (Member member = member(topic, Map.of())) {
            own(4, member);
            commitAll(member, topic);
            expect("listed", isGroup(topic), true);
            expect("state and members", state(topic), "Stable 1");
        }
        until("empty", () -> state(topic).equals("Empty 0"));
        expect("offsets", offsets(topic), Set.of(100L));
        Map<TopicPartition, OffsetAndMetadata> zero = new HashMap<>();
        parts(topic, 4).forEach(part -> zero.put(part, new OffsetAndMetadata(0)));
        done(admin.alterConsumerGroupOffsets(topic, zero).all());
        expect("altered", offsets(topic), Set.of(0L));
        done(admin.deleteConsumerGroups(List.of(topic)).all());
        expect("listed after it was deleted", isGroup(topic), false);
    }

    // Transactions.

    private static final Map<String, String> COMMITTED = Map.of("isolation.level", "read_committed");

    /** A producer with a transactional id that may begin. */
    private KafkaProducer<byte[], byte[]> transactional(String name, int timeoutMs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("transactional.id", prefix + name);
        settings.put("transaction.timeout.ms", timeoutMs);
        KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        properties(settings), new ByteArraySerializer(), new ByteArraySerializer());
        producer.initTransactions();
        return producer;
    }

    /** Sends each value and waits until all are acknowledged. */
    private static void send(
            KafkaProducer<byte[], byte[]> producer, String topic, int partition, List<String> values) {
        List<Future<RecordMetadata>> sent =
                values.stream().map(value -> producer.send(record(topic, partition, value))).toList();
        producer.flush();
        sent.forEach(Features::done);
    }

    private static final Set<Class<?>> FENCED =
            Set.of(ProducerFencedException.class, InvalidProducerEpochException.class);

    /** {@code act} must fail because of one of {@code errors}. */
    private static void refused(String what, Set<Class<?>> errors, Runnable act) {
        try {
            act.run();
        } catch (RuntimeException error) {
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                if (errors.contains(cause.getClass())) {
                    return;
                }
            }
            throw error;
        }
        throw new AssertionError(what + " was not refused");
    }

    private static List<String> words(String kind, int count) {
        return IntStream.range(0, count).mapToObj(n -> kind + "-" + n).toList();
    }

    private static List<String> joined(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    /** Reads until a last record, which is sent outside of transactions, and compares. */
    private void endToEnd(String topic, List<String> expected) {
        produce(List.of(record(topic, 0, "end")), Map.of());
        List<ConsumerRecord<byte[], byte[]>> found =
                readAssigned(topic, 1, expected.size() + 1, COMMITTED);
        expect("records of partition 0", values(found), joined(expected, List.of("end")));
    }

    private void transaction() {
        String topic = prefix + "-transaction";
        create(topic, 2, Map.of());
        KafkaProducer<byte[], byte[]> producer = transactional("-t", 30_000);
        for (String kind : List.of("one", "no", "two")) {
            producer.beginTransaction();
            send(producer, topic, 0, words(kind, 5));
            send(producer, topic, 1, words(kind, 5));
            if (kind.equals("no")) {
                producer.abortTransaction();
            } else {
                producer.commitTransaction();
            }
        }
        producer.close();
        List<String> committed = joined(words("one", 5), words("two", 5));
        List<ConsumerRecord<byte[], byte[]>> found = readAssigned(topic, 2, 20, COMMITTED);
        for (int partition : List.of(0, 1)) {
            expect(
                    "committed in " + partition,
                    values(found.stream().filter(one -> one.partition() == partition).toList()),
                    committed);
        }
        endToEnd(topic, committed);
        List<String> all = values(readAssigned(topic, 2, 31, Map.of()));
        expect("uncommitted", all.stream().filter(value -> !value.equals("end")).count(), 30L);
    }

    private void fencing() {
        String topic = prefix + "-fencing";
        create(topic, 1, Map.of());
        KafkaProducer<byte[], byte[]> first = transactional("-f", 30_000);
        first.beginTransaction();
        send(first, topic, 0, words("first", 3));
        KafkaProducer<byte[], byte[]> second = transactional("-f", 30_000);
        second.beginTransaction();
        send(second, topic, 0, words("second", 3));
        Set<Class<?>> oldEpoch = Set.of(InvalidProducerEpochException.class);
        refused("what the zombie sent", oldEpoch, () -> send(first, topic, 0, words("zombie", 3)));
        refused("the zombie's commit", oldEpoch, first::commitTransaction);
        second.commitTransaction();
        second.close();
        endToEnd(topic, words("second", 3));
    }

    private void transactionalOffsets() {
        String source = prefix + "-source";
        String target = prefix + "-target";
        String group = prefix + "-copiers";
        create(source, 1, Map.of());
        create(target, 1, Map.of());
        produce(words("in", 10).stream().map(value -> record(source, 0, value)).toList(), Map.of());
        KafkaProducer<byte[], byte[]> producer = transactional("-c", 30_000);
        TopicPartition part = new TopicPartition(source, 0);
        try (KafkaConsumer<byte[], byte[]> reader = consumer(group, COMMITTED)) {
            reader.subscribe(List.of(source));
            List<String> copied = values(read(reader, 10)).subList(0, 5);
            producer.beginTransaction();
            send(producer, target, 0, copied);
            producer.sendOffsetsToTransaction(
                    Map.of(part, new OffsetAndMetadata(5)), reader.groupMetadata());
            producer.commitTransaction();
            producer.beginTransaction();
            send(producer, target, 0, words("lost", 5));
            producer.sendOffsetsToTransaction(
                    Map.of(part, new OffsetAndMetadata(10)), reader.groupMetadata());
            producer.abortTransaction();
        }
        producer.close();
        try (KafkaConsumer<byte[], byte[]> other = consumer(group, Map.of())) {
            expect("committed", other.committed(Set.of(part)).get(part).offset(), 5L);
        }
        endToEnd(target, words("in", 5));
    }

    private void transactionTimeout() {
        String topic = prefix + "-timeout";
        create(topic, 1, Map.of());
        KafkaProducer<byte[], byte[]> producer = transactional("-o", 2_000);
        producer.beginTransaction();
        send(producer, topic, 0, words("late", 3));
        endToEnd(topic, List.of());
        // A broker of Kafka 4 has forgotten the transaction; others say that it is fenced.
        Set<Class<?>> late = new HashSet<>(FENCED);
        late.add(InvalidTxnStateException.class);
        refused("the late commit", late, producer::commitTransaction);
    }
}
