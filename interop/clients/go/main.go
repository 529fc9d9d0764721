// Three Go clients through the same steps: interop-go CLIENT ADDRESS TOPIC.
//
// Prints what each step gave as one line of JSON (see clients/README.md).
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const (
	records = 40
	// Records 0 to 19 are sent with acks=1, the rest with acks=all.
	acksAllFrom = 20
	// Timestamp of record 0, and from one record to the next, in milliseconds.
	firstTimestamp = int64(1_700_000_000_000)
	timestampStep  = int64(10)
	patience       = 30 * time.Second
)

// What the steps gave.
type outcome struct {
	Acknowledged []int64  `json:"acknowledged"`
	Values       []string `json:"values"`
	// Offsets of the first record at or after each of `lookUps`; nil: none.
	Found       []*int64 `json:"found"`
	TopicsAfter []string `json:"topics after"`
}

// The timestamps that every client looks up: the first, one between two, the last, one behind it.
func lookUps() []int64 {
	last := firstTimestamp + (records-1)*timestampStep
	return []int64{firstTimestamp, firstTimestamp + 15*timestampStep - 1, last, last + 1}
}

func timestamp(number int) time.Time {
	return time.UnixMilli(firstTimestamp + int64(number)*timestampStep)
}

func value(number int) string { return fmt.Sprintf("value-%d", number) }

func offsetOrNone(offset int64) *int64 {
	if offset < 0 {
		return nil
	}
	return &offset
}

func main() {
	clients := map[string]func(address, topic string) (outcome, error){
		"franz-go": franzGo,
		"kafka-go": kafkaGo,
		"sarama":   saramaClient,
	}
	if len(os.Args) != 4 || clients[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "interop-go franz-go|kafka-go|sarama ADDRESS TOPIC")
		os.Exit(2)
	}
	seen, err := clients[os.Args[1]](os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if seen.TopicsAfter == nil {
		seen.TopicsAfter = []string{}
	}
	_ = json.NewEncoder(os.Stdout).Encode(seen)
}
