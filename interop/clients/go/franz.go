package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func franzGo(address, topic string) (seen outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return seen, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err = admin.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		return seen, err
	}
	for _, part := range []struct {
		from, to int
		options  []kgo.Opt
	}{
		{0, acksAllFrom, []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}},
		{acksAllFrom, records, nil},
	} {
		producer, err := kgo.NewClient(append(part.options, kgo.SeedBrokers(address))...)
		if err != nil {
			return seen, err
		}
		for number := part.from; number < part.to; number++ {
			record := &kgo.Record{Topic: topic, Value: []byte(value(number)), Timestamp: timestamp(number)}
			sent, err := producer.ProduceSync(ctx, record).First()
			if err != nil {
				return seen, err
			}
			seen.Acknowledged = append(seen.Acknowledged, sent.Offset)
		}
		producer.Close()
	}
	consumer, err := kgo.NewClient(
		kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}),
	)
	if err != nil {
		return seen, err
	}
	for len(seen.Values) < records {
		fetches := consumer.PollFetches(ctx)
		if err = fetches.Err(); err != nil {
			return seen, err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			seen.Values = append(seen.Values, string(record.Value))
		})
	}
	consumer.Close()
	for _, at := range lookUps() {
		listed, err := admin.ListOffsetsAfterMilli(ctx, at, topic)
		if err != nil {
			return seen, err
		}
		offset, _ := listed.Lookup(topic, 0)
		if offset.Err != nil {
			return seen, offset.Err
		}
		// kadm answers the end where no record is.
		if offset.Timestamp == -1 {
			offset.Offset = -1
		}
		seen.Found = append(seen.Found, offsetOrNone(offset.Offset))
	}
	if _, err = admin.DeleteTopic(ctx, topic); err != nil {
		return seen, err
	}
	listed, err := admin.ListTopics(ctx)
	if err != nil {
		return seen, err
	}
	seen.TopicsAfter = listed.Names()
	return seen, nil
}
