internal import CLibrdkafka

extension ProducerConfiguration.Partitioner {
  /// The partition of a topic with `count` partitions to which a producer with this partitioner sends records of `key`.
  ///
  /// For programs that keep something for each partition and are asked by key. Where a topic gets more partitions, keys go elsewhere.
  ///
  /// ```swift
  /// let partition = ProducerConfiguration.Partitioner.murmur2Random.partition(of: Array("customer-17".utf8), among: 6)
  /// ```
  ///
  /// - Parameter count: how many partitions the topic has, at least 1.
  /// - Returns: its number, from 0; nil where chance decides: `random`, and for `consistentRandom` a key without bytes.
  public func partition(of key: [UInt8], among count: Int32) -> Int32? {
    precondition(count > 0, "a topic has \(count) partitions")
    return key.withUnsafeBytes { bytes in
      // librdkafka takes a null address for no key, and hashes one of no bytes at any other.
      withUnsafeBytes(of: 0) { nothing in
        let address = bytes.isEmpty ? nothing.baseAddress : bytes.baseAddress
        return switch self {
        case .murmur2, .murmur2Random: rd_kafka_msg_partitioner_murmur2(nil, address, bytes.count, count, nil, nil)
        case .consistentRandom where bytes.isEmpty: nil
        case .consistent, .consistentRandom:
          rd_kafka_msg_partitioner_consistent(nil, address, bytes.count, count, nil, nil)
        case .fnv1a, .fnv1aRandom: rd_kafka_msg_partitioner_fnv1a(nil, address, bytes.count, count, nil, nil)
        case .random: nil
        }
      }
    }
  }
}
