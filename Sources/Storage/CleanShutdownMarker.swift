package import Effects

/// `.kafka_cleanshutdown` in a log directory: written when every log in it was closed in order, removed at the start, so
/// that its absence says "check the logs". Holds the epoch of the broker that stopped (KIP-966).
package struct CleanShutdownMarker: Hashable, Sendable {
  private static let name = ".kafka_cleanshutdown"
  package let brokerEpoch: Int64

  package init(brokerEpoch: Int64) { self.brokerEpoch = brokerEpoch }

  /// Reads the marker; nil when there is none. A marker that says nothing counts as one of an unknown epoch, -1: older
  /// Kafka wrote empty ones.
  package static func read(logDirectory: String, fileSystem: any FileSystem) throws(IOError) -> CleanShutdownMarker? {
    let path = logDirectory + "/" + name
    guard fileSystem.exists(path) else { return nil }
    let text = String(decoding: try fileSystem.readAll(path, byteCountMax: 4096), as: UTF8.self)
    return CleanShutdownMarker(brokerEpoch: brokerEpoch(in: text) ?? -1)
  }

  /// Writes the marker, on the disk when it returns.
  package func write(logDirectory: String, fileSystem: any FileSystem) throws(IOError) {
    try fileSystem.replace(logDirectory + "/" + Self.name, with: Array(text.utf8))
  }

  /// Removes the marker, where there is one, and that from the disk too.
  package static func remove(logDirectory: String, fileSystem: any FileSystem) throws(IOError) {
    let path = logDirectory + "/" + name
    guard fileSystem.exists(path) else { return }
    try fileSystem.removeFile(path)
    try fileSystem.syncDirectory(logDirectory)
  }

  var text: String { "{\"version\":0,\"brokerEpoch\":\(brokerEpoch)}" }

  /// The number behind `"brokerEpoch":` in the JSON text.
  private static func brokerEpoch(in text: String) -> Int64? {
    let squeezed = text.filter { !$0.isWhitespace }
    let pieces = squeezed.split(separator: "\"brokerEpoch\":", maxSplits: 1, omittingEmptySubsequences: false)
    guard pieces.count == 2 else { return nil }
    return Int64(pieces[1].prefix { $0.isNumber || $0 == "-" })
  }
}
