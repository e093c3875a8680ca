package import OttlaSQL

extension SQLDatabase {
  /// Makes tables, in a transaction of its own. Processes that begin at the same time wait for each other: in PostgreSQL two that make
  /// one table at once would trip.
  package func makeTables(_ make: (SQLTransaction) async throws -> Void) async throws {
    try await transaction { transaction in
      if transaction.dialect == .postgreSQL {
        try await transaction.run("SELECT pg_advisory_xact_lock(\(Int64(0x626f_6f6b)))")
      }
      try await make(transaction)
    }
  }
}
