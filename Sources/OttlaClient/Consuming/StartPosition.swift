internal import CLibrdkafka

/// Where reading begins or goes on in a partition.
///
/// ```swift
/// try await consumer.seek(TopicPartition("orders", 0), to: .tail(100))
/// ```
///
/// Each partition has its own:
///
/// ```swift
/// try await consumer.assign([
///   TopicPartition("orders", 0): .committed,  // where the group was
///   TopicPartition("customers", 0): .earliest,  // all there is
///   TopicPartition("alarms", 0): .latest,  // from now on
///   TopicPartition("audit", 0): .offset(4711),  // where a report left off
/// ])
/// ```
public enum StartPosition: Hashable, Sendable {
  /// At the group's committed offset, else where `autoOffsetReset` says.
  case committed
  /// At the oldest record.
  case earliest
  /// Behind the newest record.
  case latest
  /// At this offset.
  case offset(Int64)
  /// So many records before the end.
  case tail(Int64)

  var libraryOffset: Int64 {
    switch self {
    case .committed: Int64(RD_KAFKA_OFFSET_STORED)
    case .earliest: Int64(RD_KAFKA_OFFSET_BEGINNING)
    case .latest: Int64(RD_KAFKA_OFFSET_END)
    case .offset(let offset): max(0, offset)
    // RD_KAFKA_OFFSET_TAIL is a macro with an argument, which Swift does not see.
    case .tail(let count): Int64(RD_KAFKA_OFFSET_TAIL_BASE) - min(max(0, count), 1 << 40)
    }
  }
}
