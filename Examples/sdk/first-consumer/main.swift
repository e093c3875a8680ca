import OttlaClient

var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "readers")
configuration.autoOffsetReset = .earliest
try await withConsumer(configuration, subscribedTo: ["greetings"]) { consumer in
  for try await record in consumer.records {
    print("\(record.topicPartition) at offset \(record.offset): \(record.valueText ?? "null")")
  }
}
