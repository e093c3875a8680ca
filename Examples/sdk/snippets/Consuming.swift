import OttlaClient
import OttlaJSON

// The examples of docs/sdk/consuming.md, one function each.

func process(_ order: Order) async throws {}
func setAside(_ record: ConsumerRecord, because error: any Error) async throws {}
func store(_ batch: [ConsumerRecord]) async throws {}

func read(_ configuration: ConsumerConfiguration) async throws {
  // snippet: records
  let consumer = try Consumer(configuration)
  try await consumer.subscribe(to: ["orders"])
  for try await record in consumer.records {
    print(record.topicPartition, record.offset, record.keyText ?? "-", record.valueText ?? "null")
  }
  try await consumer.close(within: .seconds(10))
  // end
}

func decode(_ consumer: Consumer) async throws {
  // snippet: decode
  for try await record in consumer.records {
    do {
      try await process(try record.decode(Order.self))
    } catch let error as DeserializationError {
      print(error)  // the value of orders-0 at offset 17 does not decode: 'total' is missing
      try await setAside(record, because: error)
    }
  }
  // end
}

func commitByHand(_ servers: String) async throws {
  // snippet: commit
  var configuration = ConsumerConfiguration(bootstrapServers: servers, groupId: "billing")
  configuration.enableAutoCommit = false
  try await withConsumer(configuration, subscribedTo: ["orders"]) { consumer in
    for try await batch in consumer.batches(of: 500) {
      try await store(batch)
      try await consumer.commit()
    }
  }
  // end
}

func listen(_ configuration: inout ConsumerConfiguration) {
  // snippet: rebalance
  configuration.partitionAssignmentStrategy = [.cooperativeSticky]
  configuration.onRebalance = { rebalance in
    switch rebalance.kind {
    case .assigned: print("reading \(rebalance.partitions) from now on")
    case .revoked: try? await rebalance.consumer.commit()
    case .lost: print("\(rebalance.partitions) have gone to others")
    }
  }
  // end
}

func move(_ consumer: Consumer) async throws {
  // snippet: seek
  let partition = TopicPartition("orders", 0)
  try await consumer.assign([partition: .tail(100)])
  try await consumer.seek(partition, to: .earliest)
  if let offset = try await consumer.offsetsForTimes([partition: 1_764_374_400_000])[partition] {
    try await consumer.seek(partition, to: .offset(offset))
  }
  let available = try await consumer.watermarkOffsets(of: partition)
  try consumer.pause([partition])
  try consumer.resume([partition])
  // end
  _ = available
}

func administer() async throws {
  // snippet: admin
  let admin = try AdminClient(AdminConfiguration(bootstrapServers: "localhost:9092"))
  try await admin.createTopic("orders", partitions: 6, configs: ["retention.ms": "86400000"])
  let group = try await admin.describeGroup("billing")
  print(group.state, group.members.map(\.assignment))
  // end
}

func administerSecured(_ password: String) async throws {
  // snippet: secured
  var secured = AdminConfiguration(bootstrapServers: "broker-1:9093")
  let tls = TLS(caLocation: "/etc/ssl/cluster.pem")
  secured.security = .saslTLS(.scramSHA512(username: "admin", password: password), tls)
  let securedAdmin = try AdminClient(secured)
  print(try await securedAdmin.listTopics())
  // end
}
