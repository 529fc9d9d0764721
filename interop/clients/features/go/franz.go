package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var franzGo = map[string]feature{
	"topics":          franzTopics,
	"configs":         franzConfigs,
	"partitions":      franzPartitions,
	"acks":            franzAcks,
	"records":         franzRecords,
	"codecs":          franzCodecs,
	"idempotent":      franzIdempotent,
	"large":           franzLarge,
	"many-partitions": franzManyPartitions,
	"seek-time":       franzSeekTime,
	"delete-records":  franzDeleteRecords,
	"commit":          franzCommit,
	"group":           franzGroup,
	"static":          franzStatic,
	"cooperative":     franzCooperative,
	"regex":           franzRegex,
	"group-admin":     franzGroupAdmin,
}

func ctx() context.Context {
	// One feature, one process: what is left of it ends with the process.
	limited, cancel := context.WithTimeout(context.Background(), patience)
	context.AfterFunc(limited, cancel)
	return limited
}

func franzClient(address string, options ...kgo.Opt) *kgo.Client {
	return got(kgo.NewClient(append(options, kgo.SeedBrokers(address))...))
}

func franzAdmin(address string) *kadm.Client { return kadm.NewClient(franzClient(address)) }

func franzCreate(address, topic string, partitions int32, configs map[string]*string) {
	created := got(franzAdmin(address).CreateTopic(ctx(), partitions, 1, configs, topic))
	must(created.Err)
}

// franzProduce sends records to the partitions that they name.
func franzProduce(address string, records []*kgo.Record, options ...kgo.Opt) {
	client := franzClient(address, append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	defer client.Close()
	must(client.ProduceSync(ctx(), records...).FirstErr())
}

func franzRecord(topic string, partition int32, value string) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}
}

func franzNumbered(topic string, partitions, count int) []*kgo.Record {
	var records []*kgo.Record
	for number := range count {
		records = append(records, franzRecord(topic, int32(number%partitions), fmt.Sprint(number)))
	}
	return records
}

func franzRead(client *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	limited := ctx()
	for len(records) < count {
		fetches := client.PollRecords(limited, count-len(records))
		must(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

func franzReadAssigned(address, topic string, partitions, count int, options ...kgo.Opt) []*kgo.Record {
	from := map[int32]kgo.Offset{}
	for index := range partitions {
		from[int32(index)] = kgo.NewOffset().AtStart()
	}
	client := franzClient(address,
		append(options, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))...)
	defer client.Close()
	return franzRead(client, count)
}

func franzValues(records []*kgo.Record) []string {
	var values []string
	for _, record := range records {
		values = append(values, string(record.Value))
	}
	return values
}

func franzTopics(address, prefix string) string {
	topic := prefix + "-topics"
	admin := franzAdmin(address)
	franzCreate(address, topic, 3, nil)
	until("the topic is listed", func() bool { return got(admin.ListTopics(ctx())).Has(topic) })
	found := got(admin.ListTopics(ctx(), topic))[topic]
	expect("partitions", found.Partitions.Numbers(), []int32{0, 1, 2})
	for _, partition := range found.Partitions {
		expect("a leader", partition.Leader >= 0, true)
	}
	again, _ := admin.CreateTopic(ctx(), 3, 1, nil, topic)
	expect("created again", again.Err, kerr.TopicAlreadyExists)
	must(got(admin.DeleteTopic(ctx(), topic)).Err)
	until("it is gone", func() bool { return !got(admin.ListTopics(ctx())).Has(topic) })
	return ""
}

func franzConfigs(address, prefix string) string {
	topic := prefix + "-configs"
	admin := franzAdmin(address)
	franzCreate(address, topic, 1, map[string]*string{"retention.ms": kadm.StringPtr("60000")})
	retention := func() string {
		for _, config := range got(got(admin.DescribeTopicConfigs(ctx(), topic)).On(topic, nil)).Configs {
			if config.Key == "retention.ms" {
				return config.MaybeValue()
			}
		}
		return "nothing"
	}
	expect("as created", retention(), "60000")
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("120000")}
	altered := got(admin.AlterTopicConfigs(ctx(), []kadm.AlterConfig{change}, topic))
	must(got(altered.On(topic, nil)).Err)
	until("as altered", func() bool { return retention() == "120000" })
	return ""
}

func franzPartitions(address, prefix string) string {
	topic := prefix + "-partitions"
	admin := franzAdmin(address)
	franzCreate(address, topic, 2, nil)
	franzProduce(address, []*kgo.Record{franzRecord(topic, 1, "before")})
	must(got(got(admin.UpdatePartitions(ctx(), 5, topic)).On(topic, nil)).Err)
	until("five partitions", func() bool {
		return len(got(admin.ListTopics(ctx(), topic))[topic].Partitions) == 5
	})
	franzProduce(address, []*kgo.Record{franzRecord(topic, 4, "after")})
	found := franzValues(franzReadAssigned(address, topic, 5, 2))
	slices.Sort(found)
	expect("records", found, []string{"after", "before"})
	return ""
}

func franzAcks(address, prefix string) string {
	topic := prefix + "-acks"
	franzCreate(address, topic, 1, nil)
	var expected []string
	for name, acks := range map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()} {
		var records []*kgo.Record
		for _, number := range numbers(0, 10) {
			expected = append(expected, name+number)
			records = append(records, franzRecord(topic, 0, name+number))
		}
		franzProduce(address, records, kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
	}
	expect("records", franzValues(franzReadAssigned(address, topic, 1, 30)), expected)
	return ""
}

func franzShow(record *kgo.Record) string {
	headers := ""
	for _, header := range record.Headers {
		headers += fmt.Sprintf("%s=%q ", header.Key, header.Value)
	}
	return show(record.Key, record.Value, record.Timestamp, headers)
}

func franzRecords(address, prefix string) string {
	topic := prefix + "-records"
	franzCreate(address, topic, 1, nil)
	headers := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "b"}}
	sent := []*kgo.Record{
		{Topic: topic, Key: []byte("key"), Value: []byte("value"), Timestamp: timestamp(1), Headers: headers},
		{Topic: topic, Value: []byte("without a key"), Timestamp: timestamp(2)},
		{Topic: topic, Key: []byte("deleted"), Timestamp: timestamp(3)},
		{Topic: topic, Key: []byte{}, Value: []byte{}, Timestamp: timestamp(4)},
	}
	franzProduce(address, sent)
	for index, found := range franzReadAssigned(address, topic, 1, 4) {
		expect("a record", franzShow(found), franzShow(sent[index]))
	}
	return ""
}

func franzCodecs(address, prefix string) string {
	codecs := map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression(), "none": kgo.NoCompression(),
	}
	for name, codec := range codecs {
		topic := prefix + "-" + name
		franzCreate(address, topic, 1, nil)
		records := franzNumbered(topic, 1, 100)
		franzProduce(address, records, kgo.ProducerBatchCompression(codec))
		expect(name, franzValues(franzReadAssigned(address, topic, 1, 100)), franzValues(records))
	}
	return ""
}

func franzIdempotent(address, prefix string) string {
	topic := prefix + "-idempotent"
	franzCreate(address, topic, 1, nil)
	// This client's producer is idempotent if it is not told otherwise.
	franzProduce(address, franzNumbered(topic, 1, 1_000))
	expect("records", franzValues(franzReadAssigned(address, topic, 1, 1_000)), numbers(0, 1_000))
	return ""
}

func franzLarge(address, prefix string) string {
	topic := prefix + "-large"
	franzCreate(address, topic, 1, map[string]*string{"max.message.bytes": kadm.StringPtr("11534336")})
	value := make([]byte, 10<<20)
	got(rand.Read(value))
	franzProduce(address, []*kgo.Record{{Topic: topic, Value: value}}, kgo.ProducerBatchMaxBytes(11<<20))
	found := franzReadAssigned(address, topic, 1, 1, kgo.FetchMaxPartitionBytes(11<<20))
	expect("10 MiB", string(found[0].Value) == string(value), true)
	return ""
}

func franzManyPartitions(address, prefix string) string {
	topic := prefix + "-many"
	franzCreate(address, topic, 1_000, nil)
	franzProduce(address, franzNumbered(topic, 1_000, 1_000))
	found := map[string]bool{}
	for _, record := range franzReadAssigned(address, topic, 1_000, 1_000) {
		expect("a record", fmt.Sprint(record.Partition), string(record.Value))
		found[string(record.Value)] = true
	}
	expect("records", len(found), 1_000)
	return ""
}

func franzSeekTime(address, prefix string) string {
	topic := prefix + "-time"
	franzCreate(address, topic, 1, nil)
	records := franzNumbered(topic, 1, 40)
	for number, record := range records {
		record.Timestamp = timestamp(number)
	}
	franzProduce(address, records)
	var found []int64
	for _, when := range lookUps() {
		offset, _ := got(franzAdmin(address).ListOffsetsAfterMilli(ctx(), when, topic)).Lookup(topic, 0)
		must(offset.Err)
		found = append(found, offset.Offset)
	}
	// Where no record is, kadm answers the end.
	expect("offsets", found, []int64{0, 15, 39, 40})
	at := map[int32]kgo.Offset{0: kgo.NewOffset().AfterMilli(timestamp(15).UnixMilli() - 1)}
	client := franzClient(address, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}))
	defer client.Close()
	expect("behind the seek", franzValues(franzRead(client, 1)), []string{"15"})
	return ""
}

func franzDeleteRecords(address, prefix string) string {
	topic := prefix + "-delete"
	franzCreate(address, topic, 1, nil)
	franzProduce(address, franzNumbered(topic, 1, 10))
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, 6, -1)
	deleted, _ := got(franzAdmin(address).DeleteRecords(ctx(), offsets)).Lookup(topic, 0)
	must(deleted.Err)
	expect("low watermark", deleted.LowWatermark, 6)
	earliest, _ := got(franzAdmin(address).ListStartOffsets(ctx(), topic)).Lookup(topic, 0)
	expect("earliest", earliest.Offset, 6)
	at := map[int32]kgo.Offset{0: kgo.NewOffset().At(0)}
	client := franzClient(address, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	expect("records", franzValues(franzRead(client, 4)), numbers(6, 10))
	return ""
}

func franzCommit(address, prefix string) string {
	topic := prefix + "-commit"
	franzCreate(address, topic, 1, nil)
	franzProduce(address, franzNumbered(topic, 1, 10))
	admin := franzAdmin(address)
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 7, LeaderEpoch: -1, Metadata: "note"})
	must(admin.CommitAllOffsets(ctx(), topic, offsets))
	found, _ := got(admin.FetchOffsets(ctx(), topic)).Lookup(topic, 0)
	must(found.Err)
	expect("committed", fmt.Sprintf("%d %s", found.At, found.Metadata), "7 note")
	client := franzClient(address, kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())
	defer client.Close()
	expect("the next record", franzValues(franzRead(client, 1)), []string{"7"})
	return ""
}

// A member of a group that reads in a goroutine of its own.
type franzMember struct {
	client     *kgo.Client
	lock       sync.Mutex
	owned      map[int32]bool
	seen       map[string]bool
	revoked    []int
	rebalances int
	stop       context.CancelFunc
	stopped    chan struct{}
}

func newFranzMember(address, topic string, options ...kgo.Opt) *franzMember {
	member := &franzMember{owned: map[int32]bool{}, seen: map[string]bool{}, stopped: make(chan struct{})}
	change := func(owns bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			member.lock.Lock()
			defer member.lock.Unlock()
			if owns {
				member.rebalances++
			} else if len(partitions[topic]) > 0 {
				member.revoked = append(member.revoked, len(partitions[topic]))
			}
			for _, partition := range partitions[topic] {
				delete(member.owned, partition)
				if owns {
					member.owned[partition] = true
				}
			}
		}
	}
	member.client = franzClient(address, append([]kgo.Opt{
		kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)),
		kgo.OnPartitionsLost(change(false)), kgo.HeartbeatInterval(500 * time.Millisecond),
	}, options...)...)
	limited, stop := context.WithCancel(context.Background())
	member.stop = stop
	go func() {
		defer close(member.stopped)
		for limited.Err() == nil {
			member.client.PollFetches(limited).EachRecord(func(record *kgo.Record) {
				member.lock.Lock()
				defer member.lock.Unlock()
				member.seen[fmt.Sprint(record.Partition, record.Offset)] = true
			})
		}
	}()
	return member
}

func (member *franzMember) owns() int {
	member.lock.Lock()
	defer member.lock.Unlock()
	return len(member.owned)
}

func (member *franzMember) partitions() []int32 {
	member.lock.Lock()
	defer member.lock.Unlock()
	var all []int32
	for partition := range member.owned {
		all = append(all, partition)
	}
	slices.Sort(all)
	return all
}

func (member *franzMember) close() {
	member.stop()
	<-member.stopped
	member.client.Close()
}

func own(what int, members ...*franzMember) {
	until(fmt.Sprintf("each owns %d", what), func() bool {
		return !slices.ContainsFunc(members, func(member *franzMember) bool { return member.owns() != what })
	})
}

func franzFilled(address, topic string) {
	franzCreate(address, topic, 4, nil)
	franzProduce(address, franzNumbered(topic, 4, 400))
}

func franzCommitAll(address, group, topic string, at int64) {
	var offsets kadm.Offsets
	for index := range int32(4) {
		offsets.AddOffset(topic, index, at, -1)
	}
	must(franzAdmin(address).CommitAllOffsets(ctx(), group, offsets))
}

func franzGroup(address, prefix string) string {
	topic := prefix + "-group"
	franzFilled(address, topic)
	first := newFranzMember(address, topic, kgo.Balancers(kgo.RangeBalancer()))
	own(4, first)
	second := newFranzMember(address, topic, kgo.Balancers(kgo.RangeBalancer()))
	own(2, first, second)
	until("all 400", func() bool {
		all := map[string]bool{}
		for _, member := range []*franzMember{first, second} {
			member.lock.Lock()
			for name := range member.seen {
				all[name] = true
			}
			member.lock.Unlock()
		}
		return len(all) == 400
	})
	second.close()
	own(4, first)
	all := map[string]map[int32]kgo.EpochOffset{topic: {}}
	for index := range int32(4) {
		all[topic][index] = kgo.EpochOffset{Epoch: -1, Offset: 100}
	}
	first.client.CommitOffsetsSync(ctx(), all, nil)
	sum := int64(0)
	for _, offset := range got(franzAdmin(address).FetchOffsets(ctx(), topic))[topic] {
		sum += offset.At
	}
	expect("committed", sum, 400)
	first.close()
	return ""
}

func franzStatic(address, prefix string) string {
	topic := prefix + "-static"
	franzFilled(address, topic)
	first := newFranzMember(address, topic, kgo.InstanceID(prefix+"-a"))
	second := newFranzMember(address, topic, kgo.InstanceID(prefix+"-b"))
	own(2, first, second)
	until("the group is stable", func() bool {
		return got(franzAdmin(address).DescribeGroups(ctx(), topic))[topic].State == "Stable"
	})
	before, seen := second.partitions(), first.rebalances
	second.close()
	second = newFranzMember(address, topic, kgo.InstanceID(prefix+"-b"))
	own(2, second)
	expect("its partitions", second.partitions(), before)
	expect("rebalances of the first", first.rebalances, seen)
	first.close()
	second.close()
	return ""
}

func franzCooperative(address, prefix string) string {
	topic := prefix + "-cooperative"
	franzFilled(address, topic)
	balancer := kgo.Balancers(kgo.CooperativeStickyBalancer())
	first := newFranzMember(address, topic, balancer)
	own(4, first)
	second := newFranzMember(address, topic, balancer)
	own(2, first, second)
	expect("given up", first.revoked, []int{2})
	first.close()
	second.close()
	return ""
}

func franzRegex(address, prefix string) string {
	for _, name := range []string{"a", "b"} {
		franzCreate(address, prefix+"-re-"+name, 1, nil)
		franzProduce(address, []*kgo.Record{franzRecord(prefix+"-re-"+name, 0, name)})
	}
	client := franzClient(address, kgo.ConsumerGroup(prefix+"-regex"), kgo.ConsumeRegex(),
		kgo.ConsumeTopics("^"+prefix+"-re-.*"), kgo.DisableAutoCommit(),
		kgo.MetadataMaxAge(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	defer client.Close()
	both := franzValues(franzRead(client, 2))
	slices.Sort(both)
	expect("both", both, []string{"a", "b"})
	// The rebalance to come begins where the last commit ends.
	must(client.CommitUncommittedOffsets(ctx()))
	franzCreate(address, prefix+"-re-c", 1, nil)
	franzProduce(address, []*kgo.Record{franzRecord(prefix+"-re-c", 0, "c")})
	expect("the new one", franzValues(franzRead(client, 1)), []string{"c"})
	return ""
}

func franzGroupAdmin(address, prefix string) string {
	topic := prefix + "-admin"
	franzFilled(address, topic)
	admin := franzAdmin(address)
	member := newFranzMember(address, topic)
	own(4, member)
	listed := func() bool {
		return slices.Contains(got(admin.ListGroups(ctx())).Groups(), topic)
	}
	described := func() string {
		group := got(admin.DescribeGroups(ctx(), topic))[topic]
		return fmt.Sprintf("%s %d", group.State, len(group.Members))
	}
	expect("listed", listed(), true)
	until("stable", func() bool { return described() == "Stable 1" })
	member.close()
	until("empty", func() bool { return described() == "Empty 0" })
	offsets := func() string {
		all := map[int64]bool{}
		for _, offset := range got(admin.FetchOffsets(ctx(), topic))[topic] {
			all[offset.At] = true
		}
		return fmt.Sprint(all)
	}
	franzCommitAll(address, topic, topic, 100)
	expect("offsets", offsets(), "map[100:true]")
	franzCommitAll(address, topic, topic, 0)
	expect("altered", offsets(), "map[0:true]")
	must(got(admin.DeleteGroup(ctx(), topic)).Err)
	expect("listed after it was deleted", listed(), false)
	return ""
}
