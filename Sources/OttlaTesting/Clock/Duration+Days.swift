extension Duration {
  /// So many minutes.
  ///
  /// ```swift
  /// await broker.clock.advance(by: .minutes(10))   // a member that says nothing for 45 seconds is out of its group
  /// ```
  public static func minutes(_ count: Int) -> Duration { .seconds(60 * count) }
  /// So many hours.
  ///
  /// ```swift
  /// await broker.clock.advance(by: .hours(2))   // what lay in a topic with retention.ms=3600000 is gone
  /// ```
  public static func hours(_ count: Int) -> Duration { .seconds(3600 * count) }
  /// So many days of 24 hours.
  ///
  /// ```swift
  /// await broker.clock.advance(by: .days(7) - .minutes(1))
  /// #expect(try await shop.orders() == ["tea"])      // Kafka's retention of a week is not over
  /// await broker.clock.advance(by: .minutes(2))
  /// #expect(try await shop.orders() == [])
  /// ```
  public static func days(_ count: Int) -> Duration { .seconds(86_400 * count) }

  /// In nanoseconds; only of durations that have been found short enough.
  var wholeNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
