internal import Primitives

/// A snapshot of the metadata: an image's records in chunks, under a name that is its own.
struct SnapshotName: Equatable {
  /// Of the folder with its chunks, the nodes 0, 1, ...
  var name: String
  var chunkCount: Int64
  /// The first log node that is not in it.
  var nextNode: Int64
  /// The last record that is.
  var lastOffset: Offset
}

/// The node `/metadata/snapshot`: which snapshot counts. The one before stays until the next, for those who are reading it.
struct SnapshotPointer: Equatable {
  var current: SnapshotName?
  var previous: SnapshotName?

  static let none = SnapshotPointer(current: nil, previous: nil)

  var bytes: [UInt8] {
    JSONValue.object(
      ("version", .integer(1)), ("current", current?.json ?? .null), ("previous", previous?.json ?? .null)
    ).bytes
  }
}

extension SnapshotPointer {
  /// nil when the bytes are of nothing we write.
  init?(_ bytes: [UInt8]) {
    guard let json = JSONReader.read(bytes), let current = json["current"], let previous = json["previous"] else {
      return nil
    }
    self.current = SnapshotName(current)
    self.previous = SnapshotName(previous)
    if self.current == nil, current != .null { return nil }
    if self.previous == nil, previous != .null { return nil }
  }
}

extension SnapshotName {
  fileprivate var json: JSONValue {
    .object(
      ("name", .string(name)), ("chunkCount", .integer(chunkCount)), ("nextNode", .integer(nextNode)),
      ("lastOffset", .integer(lastOffset.value)))
  }

  fileprivate init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let chunkCount = json["chunkCount"]?.integer,
      let nextNode = json["nextNode"]?.integer, let lastOffset = json["lastOffset"]?.integer
    else { return nil }
    // It becomes part of a path.
    guard !name.isEmpty, !name.contains("/"), name != ".", name != "..", chunkCount > 0, chunkCount < 1 << 32,
      nextNode >= 0, nextNode < 1 << 48, lastOffset >= 0
    else { return nil }
    self.init(name: name, chunkCount: chunkCount, nextNode: nextNode, lastOffset: Offset(lastOffset))
  }
}
