internal import Primitives

/// The node `/metadata/head`: how far the metadata log goes. What lies beyond is not committed.
struct LogHead: Equatable {
  /// The number of the first log node that is not committed.
  var nextNode: Int64
  /// The last record that is; -1 for none.
  var lastOffset: Offset

  static let empty = LogHead(nextNode: 0, lastOffset: Offset(-1))

  var bytes: [UInt8] {
    JSONValue.object(
      ("version", .integer(1)), ("nextNode", .integer(nextNode)), ("lastOffset", .integer(lastOffset.value))
    ).bytes
  }
}

extension LogHead {
  /// nil when the bytes are of nothing we write.
  init?(_ bytes: [UInt8]) {
    guard let json = JSONReader.read(bytes), let nextNode = json["nextNode"]?.integer,
      let lastOffset = json["lastOffset"]?.integer, nextNode >= 0, lastOffset >= -1, nextNode < 1 << 48
    else { return nil }
    self.init(nextNode: nextNode, lastOffset: Offset(lastOffset))
  }
}
