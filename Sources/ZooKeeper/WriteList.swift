internal import CZooKeeper
internal import Coordination

/// The parts of a change as C wants them: one run of bytes that holds all paths and data, and where each is in it.
struct WriteList {
  private struct Part {
    let kind: ottla_zookeeper_kind
    let path: Int
    let data: Range<Int>
    let version: Int32
    let isEphemeral: Bool
  }

  private var bytes: [UInt8] = []
  private var parts: [Part] = []

  init(_ writes: [EnsembleWrite]) {
    for write in writes {
      switch write {
      case .check(let path, let version): add(OTTLA_ZOOKEEPER_CHECK, path, version: version)
      case .create(let node):
        add(OTTLA_ZOOKEEPER_CREATE, node.path, data: node.data, version: 0, isEphemeral: node.isEphemeral)
      case .set(let path, let data, let version): add(OTTLA_ZOOKEEPER_SET, path, data: data, version: version)
      case .delete(let path, let version): add(OTTLA_ZOOKEEPER_DELETE, path, version: version)
      case .deleteAny(let path): add(OTTLA_ZOOKEEPER_DELETE, path, version: -1)
      }
    }
  }

  private mutating func add(
    _ kind: ottla_zookeeper_kind, _ path: String, data: [UInt8] = [], version: Int32, isEphemeral: Bool = false
  ) {
    let start = bytes.count
    bytes += Array(path.utf8) + [0]
    let dataStart = bytes.count
    bytes += data
    parts.append(
      Part(kind: kind, path: start, data: dataStart..<bytes.count, version: version, isEphemeral: isEphemeral))
  }

  /// Calls `body` with the list; what it points to lives for the call.
  func withWrites(_ body: (UnsafeBufferPointer<ottla_zookeeper_write>) -> Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return ZBADARGUMENTS.rawValue }
      let writes = parts.map { part in
        ottla_zookeeper_write(
          kind: part.kind, path: (base + part.path).assumingMemoryBound(to: CChar.self),
          data: base + part.data.lowerBound, length: Int32(clamping: part.data.count), version: part.version,
          is_ephemeral: part.isEphemeral ? 1 : 0)
      }
      return writes.withUnsafeBufferPointer(body)
    }
  }
}
