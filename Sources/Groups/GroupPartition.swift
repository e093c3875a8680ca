extension GroupCoordinator {
  /// The partition of `__consumer_offsets` that holds a group: its leader is the group's coordinator.
  ///
  /// Java's `String.hashCode` (over UTF-16), made non-negative by Kafka's `Utils.abs`: the smallest integer becomes 0.
  package static func partition(for groupID: String, partitionCount: Int32) -> Int32 {
    precondition(partitionCount > 0, "the offsets topic has \(partitionCount) partitions")
    var hash: Int32 = 0
    for unit in groupID.utf16 { hash = 31 &* hash &+ Int32(unit) }
    return (hash == .min ? 0 : abs(hash)) % partitionCount
  }
}
