internal import Glibc
internal import OttlaOutbox
internal import OttlaSQL

/// The service: counters raised with messages, the messages published, and applied once on the other side.
struct Service: Sendable {
  let database: SQLDatabase
  let log: TopicFile
  let target: Int
  let seed: UInt64
  private var keyCount: Int { 8 }
  private var store: SQLOutboxStore { SQLOutboxStore(database) }
  private var inbox: Inbox { Inbox(database, consumer: "drill") }

  init(database: SQLDatabase, log: TopicFile, target: Int, seed: UInt64) {
    self.database = database
    self.log = log
    self.target = target
    self.seed = seed
  }

  func run() async throws {
    try await prepare()
    print("working")
    fflush(nil)
    var settings = OutboxSettings()
    settings.interval = .milliseconds(5)
    settings.rowsMax = 10
    settings.lease = .milliseconds(300)
    settings.retention = .milliseconds(500)
    settings.cleaningInterval = .milliseconds(100)
    let publisher = OutboxPublisher(store, settings: settings) { try log.append($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      // Two, as a service with two instances has.
      for _ in 0..<2 { group.addTask { await publisher.run() } }
      group.addTask { try await produce() }
      try await consumeUntilDone()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private func prepare() async throws {
    try await store.prepare()
    try await inbox.prepare()
    try await database.transaction { transaction in
      if transaction.dialect == .postgreSQL { try await transaction.run("SELECT pg_advisory_xact_lock(1)") }
      for table: SQLStatement in [
        "CREATE TABLE IF NOT EXISTS raised (counter TEXT PRIMARY KEY, n BIGINT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS applied (counter TEXT PRIMARY KEY, n BIGINT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS disorder (what TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS position (topic_offset BIGINT NOT NULL)",
      ] { try await transaction.run(table) }
      if try await transaction.run("SELECT * FROM position").rows.isEmpty {
        try await transaction.run("INSERT INTO position VALUES (0)")
      }
    }
  }

  /// The message says how high the counter is now: the other side can see when one is missing, twice, or out of order.
  private func produce() async throws {
    var number = seed
    while try await total("raised") < target {
      number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let counter = "c\(Int(number >> 33) % keyCount)"
      try await database.transaction { transaction in
        let raised = try await transaction.run(
          """
          INSERT INTO raised (counter, n) VALUES (\(counter), 1)
          ON CONFLICT (counter) DO UPDATE SET n = raised.n + 1 RETURNING n
          """)
        let height: Int64 = try raised.rows[0].value("n")
        _ = try await store.add(OutboxMessage(topic: "raised", key: counter, text: "\(height)"), in: transaction)
      }
    }
  }

  private func total(_ table: String) async throws -> Int {
    let rows = try await database.run("SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS n FROM \(name: table)").rows
    return try rows[0].value("n")
  }

  private func consumeUntilDone() async throws {
    while true {
      let offset: Int = try await database.run("SELECT topic_offset FROM position").rows[0].value("topic_offset")
      var next = offset
      for record in try log.read(from: offset) {
        // The effect and the id in one transaction; the offset in another, as a consumer's commit is.
        try await database.transaction { transaction in try await apply(record, transaction) }
        next += 1
        if next.isMultiple(of: 7) { try await database.run("UPDATE position SET topic_offset = \(next)") }
      }
      try await database.run("UPDATE position SET topic_offset = \(next)")
      if try await total("applied") >= target, try await store.counts() == (0, 0) { return }
      if next == offset { try await Task.sleep(for: .milliseconds(2)) }
    }
  }

  private func apply(_ record: TopicFile.Record, _ transaction: SQLTransaction) async throws {
    try await inbox.once(record.id, in: transaction) {
      let applied = try await transaction.run(
        """
        INSERT INTO applied (counter, n) VALUES (\(record.key), 1)
        ON CONFLICT (counter) DO UPDATE SET n = applied.n + 1 RETURNING n
        """)
      let height: Int64 = try applied.rows[0].value("n")
      if "\(height)" != record.value {
        try await transaction.run("INSERT INTO disorder VALUES (\("\(record.key): \(record.value) came as \(height)"))")
      }
    }
  }
}
