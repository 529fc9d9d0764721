import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * A Kafka Streams application, which runs until it is killed:
 * {@code Streams ADDRESS PREFIX GUARANTEE STATE_DIR}.
 *
 * <p>It reads lines from PREFIX-lines, orders (key: user) from PREFIX-orders and names (key:
 * user) from PREFIX-names, and writes
 *
 * <ul>
 *   <li>PREFIX-counts: each word, and how often it has come so far, at each time it comes;
 *   <li>PREFIX-windows: word@start of a window of 5 s, and how often it has come in the window;
 *   <li>PREFIX-joined: for each order "order name".
 * </ul>
 *
 * It prints "running" whenever all its tasks run.
 */
public final class Streams {
    private Streams() {}

    public static void main(String[] arguments) {
        String prefix = arguments[1];
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, prefix);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[2]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[3]);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
        // Every change is sent on, so that a test can see one that is counted twice.
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        // A member that was killed is expelled as early as the protocol allows.
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6_000);
        settings.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 1_000);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 10_000);
        settings.put(StreamsConfig.producerPrefix("delivery.timeout.ms"), 120_000);
        // The changelogs are compacted while they are in use. Apache Kafka would refuse segments as
        // small as these.
        settings.put(StreamsConfig.topicPrefix("segment.bytes"), 8_192);
        settings.put(StreamsConfig.topicPrefix("min.cleanable.dirty.ratio"), 0.01);
        StreamsBuilder builder = new StreamsBuilder();
        count(builder, prefix);
        join(builder, prefix);
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setUncaughtExceptionHandler(
                error -> {
                    System.err.println("a thread is replaced: " + error);
                    return StreamThreadExceptionResponse.REPLACE_THREAD;
                });
        streams.setStateListener(
                (state, before) -> {
                    if (state == KafkaStreams.State.RUNNING) {
                        System.out.println("running");
                    }
                });
        streams.start();
    }

    private static void count(StreamsBuilder builder, String prefix) {
        KStream<String, String> lines = builder.stream(prefix + "-lines");
        KStream<String, String> words =
                lines.flatMapValues(line -> Arrays.asList(line.split(" ")))
                        .selectKey((key, word) -> word)
                        .repartition();
        words.groupByKey()
                .count(
                        Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts")
                                .withValueSerde(Serdes.Long()))
                .toStream()
                .mapValues(count -> Long.toString(count))
                .to(prefix + "-counts");
        words.groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(5), Duration.ofDays(1)))
                .count(
                        Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windows")
                                .withValueSerde(Serdes.Long()))
                .toStream()
                .selectKey((window, count) -> window.key() + "@" + window.window().start())
                .mapValues(count -> Long.toString(count))
                .to(prefix + "-windows");
    }

    private static void join(StreamsBuilder builder, String prefix) {
        KTable<String, String> names = builder.table(prefix + "-names", Materialized.as("names"));
        KStream<String, String> orders = builder.stream(prefix + "-orders");
        orders.join(names, (order, name) -> order + " " + name).to(prefix + "-joined");
    }
}
