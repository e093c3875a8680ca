internal import OttlaSQL

/// What the publisher does with an outbox in a database.
extension SQLOutboxStore {
  /// Slots that a claim takes at most: what is left is for other publishers.
  private static let slotsMax = 4
  /// A lease that would end after this time was given by a clock that has been set back since.
  private static let leaseMsMax: Int64 = 3_600_000

  /// Takes free slots with rows to publish, four at most, for `lease`, and returns their first rows.
  ///
  /// - Throws: `SQLError`.
  public func claim(rowsMax: Int, lease: Duration) async throws -> OutboxClaim {
    let token = OutboxMessage.randomID()
    return try await database.transaction { transaction in
      let slots = try await takeSlots(token, lease, transaction)
      guard !slots.isEmpty else { return OutboxClaim(token: token, rows: [], isMoreLikely: false) }
      let now = transaction.dialect.nowMs
      // A statement of its own, after the slots are ours: it sees all that their former owners have written.
      let rows = try await transaction.run(
        """
        SELECT o.position, o.id, o.lane, o.topic, o.message_key, o.message_value, o.headers, o.failure_count
        FROM \(name: table) o WHERE o.state = 0 AND o.slot IN \(list: slots) AND o.not_before_ms <= \(trusted: now)
        AND NOT EXISTS (
          SELECT 1 FROM \(name: table) b WHERE b.state = 0 AND b.failure_count > 0 AND b.lane = o.lane
          AND b.position < o.position AND b.not_before_ms > \(trusted: now))
        ORDER BY o.position LIMIT \(rowsMax)
        """
      ).rows
      if rows.isEmpty { try await release(token, transaction) }
      return OutboxClaim(
        token: token, rows: try rows.map(Self.row),
        isMoreLikely: !rows.isEmpty && (rows.count == rowsMax || slots.count == Self.slotsMax))
    }
  }

  /// The free slots with the oldest rows that can be published now. Between the look and the taking another may take some: then
  /// there are fewer.
  private func takeSlots(
    _ token: String, _ lease: Duration, _ transaction: SQLTransaction
  ) async throws -> [Int] {
    let dialect = transaction.dialect
    let found = try await transaction.run(
      """
      SELECT slot FROM (
        SELECT s.slot, (
          SELECT o.position FROM \(name: table) o
          WHERE o.state = 0 AND o.slot = s.slot AND o.not_before_ms <= \(trusted: dialect.nowMs)
          AND NOT EXISTS (
            SELECT 1 FROM \(name: table) b WHERE b.state = 0 AND b.failure_count > 0 AND b.lane = o.lane
            AND b.position < o.position AND b.not_before_ms > \(trusted: dialect.nowMs))
          ORDER BY o.position LIMIT 1) AS first_position
        FROM \(name: slotTable) s
        WHERE s.lease_end_ms <= \(trusted: dialect.nowMs)
        OR s.lease_end_ms > \(trusted: dialect.nowMs) + \(Self.leaseMsMax)) candidates
      WHERE first_position IS NOT NULL ORDER BY first_position LIMIT \(Self.slotsMax)
      """
    ).rows.map { try $0.value("slot", as: Int.self) }
    guard !found.isEmpty else { return [] }
    let taken = try await transaction.run(
      """
      UPDATE \(name: slotTable) SET owner = \(token), lease_end_ms = \(trusted: dialect.nowMs) + \(lease.wholeMs)
      WHERE slot IN (
        SELECT slot FROM \(name: slotTable) WHERE slot IN \(list: found)
        AND (lease_end_ms <= \(trusted: dialect.nowMs) OR lease_end_ms > \(trusted: dialect.nowMs) + \(Self.leaseMsMax))
        ORDER BY slot \(trusted: dialect.skipLocked))
      RETURNING slot
      """)
    return try taken.rows.map { try $0.value("slot", as: Int.self) }.sorted()
  }

  private func release(_ token: String, _ transaction: SQLTransaction) async throws {
    try await transaction.run("UPDATE \(name: slotTable) SET owner = '', lease_end_ms = 0 WHERE owner = \(token)")
  }

  /// Holds the slots of a claim for `lease` from now on. False when one of them is somebody else's now.
  ///
  /// - Throws: `SQLError`.
  public func renew(_ claim: OutboxClaim, lease: Duration) async throws -> Bool {
    // A lease that has run out may be renewed as long as nobody has taken the slot: then nobody has published from it either.
    let slots = Set(claim.rows.map { OutboxLane(of: $0.message).slot })
    let renewed = try await database.run(
      """
      UPDATE \(name: slotTable) SET lease_end_ms = \(trusted: database.dialect.nowMs) + \(lease.wholeMs)
      WHERE owner = \(claim.token)
      """)
    return renewed.affectedCount >= slots.count
  }

  /// Writes down what came of the rows, and lets go of those slots that are still the claim's.
  ///
  /// - Throws: `SQLError`.
  public func settle(_ claim: OutboxClaim, _ outcomes: [OutboxOutcome]) async throws {
    try await database.transaction { transaction in
      let now = transaction.dialect.nowMs
      var sent: [Int64] = []
      for outcome in outcomes {
        switch outcome.result {
        case .sent: sent.append(outcome.position)
        case .failed(let reason, let delay):
          try await transaction.run(
            """
            UPDATE \(name: table) SET failure_count = failure_count + 1, reason = \(Self.short(reason)),
              not_before_ms = \(trusted: now) + \(delay.wholeMs)
            WHERE position = \(outcome.position) AND state = 0
            """)
        case .refused(let reason):
          try await transaction.run(
            """
            UPDATE \(name: table) SET state = 2, reason = \(Self.short(reason)), done_ms = \(trusted: now)
            WHERE position = \(outcome.position) AND state = 0
            """)
        }
      }
      // An acknowledgement is true whoever has written what in the meantime.
      if !sent.isEmpty {
        try await transaction.run(
          """
          UPDATE \(name: table) SET state = 1, reason = NULL, done_ms = \(trusted: now)
          WHERE position IN \(list: sent) AND state <> 1
          """)
      }
      try await release(claim.token, transaction)
    }
  }

  /// What PostgreSQL takes as text, and not too much of it.
  private static func short(_ reason: String) -> String { String(reason.filter { $0 != "\0" }.prefix(500)) }

  static func row(_ row: SQLRow) throws(SQLError) -> OutboxRow {
    let id: String = try row.value("id")
    guard let headers = HeaderCoding.decode(try row.value("headers")) else {
      throw SQLError(
        .value, "the headers of message \(id) in the outbox cannot be read", advice: "was the table changed by hand?")
    }
    return OutboxRow(
      position: try row.value("position"), lane: try row.value("lane"),
      message: OutboxMessage(
        id: id, topic: try row.value("topic"), key: try row.value("message_key"),
        value: try row.value("message_value"), headers: headers),
      failureCount: try row.value("failure_count"))
  }
}
