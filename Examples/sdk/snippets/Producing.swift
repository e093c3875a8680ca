import OttlaClient
import OttlaJSON

// The examples of docs/sdk/producing.md, one function each.

struct Order: Codable {
  let id: Int
  let total: Double
}

func sendOne(_ producer: Producer) async throws {
  // snippet: send
  do {
    let report = try await producer.send(ProducerRecord(topic: "orders", key: "customer-17", value: "paid"))
    print("stored in \(report.topicPartition) at offset \(report.offset ?? -1)")
  } catch {
    switch error {
    case .notDelivered(let cause, let mayArrive): print("not acknowledged (may have arrived: \(mayArrive)): \(cause)")
    case .rejected(let cause): print("can never be sent so: \(cause)")
    case .queueFull, .closed, .cancelled, .notFlushed: print(error)
    }
  }
  // end
}

func sendMany(_ producer: Producer) async throws {
  // snippet: enqueue
  for number in 1...100_000 {
    try await producer.enqueue(ProducerRecord(topic: "numbers", value: "\(number)")) { outcome in
      if case .failure(let error) = outcome { print("\(number) was lost: \(error)") }
    }
  }
  try await producer.flush(within: .seconds(30))
  // end
}

func sendValues(_ producer: Producer) async throws {
  // snippet: codable
  let order = Order(id: 17, total: 9.5)
  let report = try await producer.send(order, to: "orders", key: "customer-17")
  // end
  _ = report
}

func sendEverything(_ producer: Producer) async throws {
  // snippet: record
  let record = ProducerRecord(
    topic: "orders", partition: 2, key: Array("customer-17".utf8), value: [1, 2, 3],
    headers: [Header("trace-id", "7f3a"), Header("flags", [0x01])], timestamp: 1_764_374_400_000)
  try await producer.enqueue(record)
  // end
}

func configure() throws -> Producer {
  // snippet: configuration
  var configuration = ProducerConfiguration(bootstrapServers: "broker-1:9092,broker-2:9092")
  configuration.lingerMs = 20
  configuration.compressionType = .zstd
  configuration.partitioner = .murmur2Random
  configuration.security = .saslTLS(.scramSHA256(username: "orders", password: "secret"), TLS())
  configuration.other["socket.keepalive.enable"] = "true"
  configuration.onError = { error in print("a broker is away: \(error)") }
  let producer = try Producer(configuration)
  // end
  return producer
}

func partitionOfAKey() -> Int32? {
  // snippet: partition
  let partitioner = ProducerConfiguration.Partitioner.murmur2Random
  let partition = partitioner.partition(of: Array("customer-17".utf8), among: 6)
  // end
  return partition
}

func never(_ producer: Producer) throws {
  // snippet: tryEnqueue
  do {
    try producer.tryEnqueue(ProducerRecord(topic: "metrics", value: "42"))
  } catch ProducerError.queueFull {
    print("dropped: the brokers do not keep up")
  }
  // end
}
