import OttlaClient

try await withProducer(ProducerConfiguration(bootstrapServers: "localhost:9092")) { producer in
  for number in 1...10 {
    let record = ProducerRecord(topic: "greetings", key: "\(number % 3)", value: "hello \(number)")
    let report = try await producer.send(record)
    print("\(report.topicPartition) at offset \(report.offset ?? -1)")
  }
}
