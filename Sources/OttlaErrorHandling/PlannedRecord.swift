internal import OttlaClient

/// What the plan looks at of a record.
protocol PlannedRecord {
  var topicPartition: TopicPartition { get }
  var offset: Int64 { get }
  var key: [UInt8]? { get }
  var byteCount: Int { get }
}

extension ConsumerRecord: PlannedRecord {
  /// Key, value and headers.
  var byteCount: Int {
    headers.reduce((key?.count ?? 0) + (value?.count ?? 0)) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
  }
}
