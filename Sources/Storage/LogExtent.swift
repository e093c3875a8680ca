package import Effects
package import Primitives

/// What the names and sizes of a folder's segments say, without opening its log.
package struct LogExtent: Hashable, Sendable {
  /// Where the first segment begins; nil when there is none.
  package let baseOffset: Offset?
  /// The sizes of all segments.
  package let byteCount: Int64

  /// Looks into a partition's folder.
  package init(inFolder directory: String, fileSystem: any FileSystem) throws(IOError) {
    var bases: [Offset] = []
    var byteCount: Int64 = 0
    for name in try fileSystem.list(directory) {
      guard let base = LogFileName.baseOffset(of: name, suffix: LogFileName.log) else { continue }
      bases.append(base)
      byteCount &+= try fileSystem.open(directory + "/" + name, .read).size()
    }
    baseOffset = bases.min()
    self.byteCount = byteCount
  }
}
