internal import Foundation
internal import NotificationVocabulary
internal import OttlaErrorHandling
internal import OttlaSQL

/// The rows of the statistic.
struct Statistics: Sendable {
  private let database: SQLDatabase

  init(_ database: SQLDatabase) { self.database = database }

  /// Makes the table where it is not there.
  func prepare() async throws {
    try await database.run(
      """
      CREATE TABLE IF NOT EXISTS statistics (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message TEXT NOT NULL, created_date TIMESTAMPTZ NOT NULL,
        record TEXT NOT NULL UNIQUE)
      """)
  }

  /// Stores a row, once for each `record`.
  ///
  /// - Parameter record: what the record is known by, however often it comes.
  /// - Returns: whether it was new.
  func store(_ statistic: Statistic, record: String) async throws -> Bool {
    try await database.run(
      """
      INSERT INTO statistics (message, created_date, record)
      VALUES (\(statistic.message), to_timestamp(\(statistic.createdDate.timeIntervalSince1970)), \(record))
      ON CONFLICT (record) DO NOTHING
      """
    ).affectedCount == 1
  }

  /// A row that the database does not take is a dead letter; where the database is away all wait for it; and where it cannot be used,
  /// nothing is the record's fault.
  static let judge = ErrorJudge().judging { error in
    guard let error = error as? SQLError else { return nil }
    switch error.kind {
    case .value, .constraintViolation: return .fatal
    case _ where error.isRetriable: return .retriable
    default: return .halting
    }
  }
}
