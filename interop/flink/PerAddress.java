import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.time.Duration;
import java.time.LocalDate;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * Requests per address in windows of 5 seconds, on Flink's local mini-cluster.
 *
 * <p>Usage: PerAddress LOG ROWS PARALLELISM. The rows are in the files ROWS.0, ROWS.1 and so on.
 * Prints the seconds from the first line on, and how many of a processor were used meanwhile. The
 * start of Java and of the cluster is in neither.
 *
 * <p>One reader reads the log, since Flink does not divide a file in TextLineInputFormat; the
 * windows are divided among the subtasks. Objects are reused, which is Flink's faster way.
 */
// A sink of one method is deprecated, and there until Flink 2.
@SuppressWarnings("deprecation")
public class PerAddress {
    private static final Duration WINDOW = Duration.ofSeconds(5);
    private static final Duration OUT_OF_ORDER = Duration.ofSeconds(60);
    private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

    /** When the first line came; the cluster is in this process. */
    private static volatile long firstNanos;

    private static volatile long firstBusyNanos;

    public static void main(String[] arguments) throws Exception {
        String log = arguments[0];
        String rows = arguments[1];
        int parallelism = Integer.parseInt(arguments[2]);
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.createLocalEnvironment(parallelism, new Configuration());
        environment.getConfig().enableObjectReuse();
        FileSource<String> source =
                FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(log)).build();
        WatermarkStrategy<Tuple2<String, Long>> order =
                WatermarkStrategy.<Tuple2<String, Long>>forBoundedOutOfOrderness(OUT_OF_ORDER)
                        .withTimestampAssigner((hit, before) -> hit.f1);
        environment
                .fromSource(source, WatermarkStrategy.noWatermarks(), "log")
                .setParallelism(1)
                .flatMap(new Parse())
                .setParallelism(1)
                .assignTimestampsAndWatermarks(order)
                .setParallelism(1)
                .keyBy(hit -> hit.f0)
                .window(TumblingEventTimeWindows.of(WINDOW))
                .aggregate(new Count(), new Row())
                .addSink(new Rows(rows));
        environment.execute("per address");
        long seconds = System.nanoTime() - firstNanos;
        long busy = busyNanos() - firstBusyNanos;
        System.out.println(seconds / 1e9 + " " + busy / 1e9);
        System.exit(0);
    }

    private static long busyNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    /** Address and milliseconds of a line. */
    public static class Parse implements FlatMapFunction<String, Tuple2<String, Long>> {
        private transient boolean hasBegun;
        /** The day that was read last, as text: most lines have the one of the line before. */
        private transient String day;

        private transient long dayMillis;

        @Override
        public void flatMap(String line, Collector<Tuple2<String, Long>> out) {
            if (!hasBegun) {
                hasBegun = true;
                firstBusyNanos = busyNanos();
                firstNanos = System.nanoTime();
            }
            int space = line.indexOf(' ');
            int open = line.indexOf('[', space);
            if (space < 0 || open < 0 || line.length() < open + 27) {
                return;
            }
            // 22/Nov/2026:18:54:31 +0000
            if (day == null || !line.startsWith(day, open + 1)) {
                day = line.substring(open + 1, open + 12);
                int month = MONTHS.indexOf(day.substring(3, 6)) / 3 + 1;
                int year = Integer.parseInt(day.substring(7));
                int number = Integer.parseInt(day.substring(0, 2));
                dayMillis = LocalDate.of(year, month, number).toEpochDay() * 86_400_000;
            }
            long seconds = pair(line, open + 13) * 3600 + pair(line, open + 16) * 60;
            seconds += pair(line, open + 19);
            long zone = pair(line, open + 23) * 3600 + pair(line, open + 25) * 60;
            seconds -= line.charAt(open + 22) == '-' ? -zone : zone;
            out.collect(Tuple2.of(line.substring(0, space), dayMillis + seconds * 1000));
        }

        private static long pair(String line, int at) {
            return (line.charAt(at) - '0') * 10 + line.charAt(at + 1) - '0';
        }
    }

    /** How many there are. */
    public static class Count implements AggregateFunction<Tuple2<String, Long>, Long, Long> {
        @Override
        public Long createAccumulator() {
            return 0L;
        }

        @Override
        public Long add(Tuple2<String, Long> hit, Long count) {
            return count + 1;
        }

        @Override
        public Long getResult(Long count) {
            return count;
        }

        @Override
        public Long merge(Long one, Long other) {
            return one + other;
        }
    }

    /** The count with its window's start and its address. */
    public static class Row
            extends ProcessWindowFunction<Long, Tuple3<Long, String, Long>, String, TimeWindow> {
        @Override
        public void process(
                String address,
                Context context,
                Iterable<Long> counts,
                Collector<Tuple3<Long, String, Long>> out) {
            long count = counts.iterator().next();
            out.collect(Tuple3.of(context.window().getStart(), address, count));
        }
    }

    /** Writes a file per subtask. */
    public static class Rows extends RichSinkFunction<Tuple3<Long, String, Long>> {
        private final String path;
        private transient BufferedWriter file;

        Rows(String path) {
            this.path = path;
        }

        @Override
        public void open(OpenContext context) throws IOException {
            int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
            file = Files.newBufferedWriter(Paths.get(path + "." + subtask));
        }

        @Override
        public void invoke(Tuple3<Long, String, Long> row, Context context) throws IOException {
            file.write(row.f0 + " " + row.f1 + " " + row.f2 + "\n");
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
