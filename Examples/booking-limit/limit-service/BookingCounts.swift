internal import OttlaSQL

/// How many bookings each user has made on each day: table `booking_counts`.
struct BookingCounts: Sendable {
  /// Longer than the booking service lets a booking be late, and topics keep records.
  private static let daysKept: Int64 = 30

  func prepare(_ transaction: SQLTransaction) async throws(SQLError) {
    try await transaction.run(
      """
      CREATE TABLE IF NOT EXISTS booking_counts (
        user_name TEXT NOT NULL, day BIGINT NOT NULL, bookings BIGINT NOT NULL, PRIMARY KEY (user_name, day))
      """)
  }

  /// Counts one more. Whoever else counts for the same user and day waits until this transaction is over.
  ///
  /// - Returns: which one of the day it is, from 1.
  func add(_ user: String, _ day: Day, _ transaction: SQLTransaction) async throws(SQLError) -> Int {
    let counted = try await transaction.run(
      """
      INSERT INTO booking_counts (user_name, day, bookings) VALUES (\(user), \(day.number), 1)
      ON CONFLICT (user_name, day) DO UPDATE SET bookings = booking_counts.bookings + 1 RETURNING bookings
      """)
    return try counted.rows[0].value("bookings")
  }

  /// Forgets days that no booking can come for any more: those long before the last one counted.
  func forgetOldDays(_ database: SQLDatabase) async throws(SQLError) {
    try await database.run(
      "DELETE FROM booking_counts WHERE day < (SELECT max(day) FROM booking_counts) - \(Self.daysKept)")
  }
}
