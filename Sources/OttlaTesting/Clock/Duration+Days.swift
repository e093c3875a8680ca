extension Duration {
  /// So many minutes.
  public static func minutes(_ count: Int) -> Duration { .seconds(60 * count) }
  /// So many hours.
  public static func hours(_ count: Int) -> Duration { .seconds(3600 * count) }
  /// So many days of 24 hours.
  public static func days(_ count: Int) -> Duration { .seconds(86_400 * count) }

  /// In nanoseconds; only of durations that have been found short enough.
  var wholeNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
