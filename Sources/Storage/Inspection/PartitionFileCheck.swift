package import Effects
internal import Primitives

/// A transaction that was aborted, as Kafka keeps it in `.txnindex`.
package struct AbortedTransactionEntry: Hashable, Sendable {
  package static let byteCount = 34
  package let producerID: Int64
  package let firstOffset: Int64
  package let lastOffset: Int64
  package let lastStableOffset: Int64
}

/// Looks at a small file in a partition's folder. Each check says what is wrong with it; nil when nothing is.
package struct PartitionFileCheck {
  let path: String
  let fileSystem: any FileSystem

  package init(path: String, fileSystem: any FileSystem) {
    self.path = path
    self.fileSystem = fileSystem
  }

  private func read() throws(IOError) -> [UInt8] { try fileSystem.readAll(path) }
  private func text() throws(IOError) -> String { String(decoding: try read(), as: UTF8.self) }

  func leaderEpochs(_ seen: [(epoch: Int32, startOffset: Int64)], end: Int64) -> String? {
    do throws(IOError) {
      guard let epochs = LeaderEpochs(checkpoint: try text()) else {
        return "is no list of leader epochs; they are read from the log instead"
      }
      if let last = epochs.entries.last, last.startOffset.value > end {
        return "epoch \(last.epoch.value) begins at \(last.startOffset.value), behind the end of the log, \(end)"
      }
      let known = Set(epochs.entries.map(\.epoch.value))
      if let missing = seen.first(where: {
        !known.contains($0.epoch) && $0.epoch > epochs.entries.first?.epoch.value ?? -1
      }) {
        return "does not know epoch \(missing.epoch), in which offset \(missing.startOffset) was written"
      }
      return nil
    } catch { return "cannot be read: \(error)" }
  }

  func topicID() -> String? {
    do throws(IOError) {
      return PartitionMetadata.topicID(in: try text()) == nil ? "does not say which topic the folder belongs to" : nil
    } catch { return "cannot be read: \(error)" }
  }

  func producers() -> String? {
    do throws(IOError) {
      return ProducerSnapshot.decode(try read()) == nil ? "is no sound producer snapshot of version 1" : nil
    } catch { return "cannot be read: \(error)" }
  }

  func abortedTransactions() -> String? {
    do throws(IOError) {
      guard let entries = Self.abortedTransactions(in: try read()) else { return "is no list of aborted transactions" }
      let isRight =
        zip(entries, entries.dropFirst()).allSatisfy { $0.lastOffset < $1.lastOffset }
        && entries.allSatisfy { $0.firstOffset <= $0.lastOffset }
      return isRight ? nil : "the transactions in it are out of order"
    } catch { return "cannot be read: \(error)" }
  }

  /// The entries in the bytes of a `.txnindex`; nil when they are none.
  package static func abortedTransactions(in bytes: [UInt8]) -> [AbortedTransactionEntry]? {
    guard bytes.count % AbortedTransactionEntry.byteCount == 0 else { return nil }
    return bytes.withUnsafeBytes { bytes -> [AbortedTransactionEntry]? in
      var entries: [AbortedTransactionEntry] = []
      for start in stride(from: 0, to: bytes.count, by: AbortedTransactionEntry.byteCount) {
        guard let base = bytes.baseAddress, base.bigEndian(Int16.self, at: start) == 0 else { return nil }
        entries.append(
          AbortedTransactionEntry(
            producerID: base.bigEndian(Int64.self, at: start + 2),
            firstOffset: base.bigEndian(Int64.self, at: start + 10),
            lastOffset: base.bigEndian(Int64.self, at: start + 18),
            lastStableOffset: base.bigEndian(Int64.self, at: start + 26)))
      }
      return entries
    }
  }

  /// What a file of another name is there for.
  static func purpose(of name: String) -> String {
    if name.hasSuffix(LogFileName.deleted) { return "belongs to a segment that was deleted; the broker removes it" }
    if name.contains(LogFileName.log + LogFileName.damaged) {
      return "bytes that had to leave the log; keep or remove them"
    }
    if name.hasSuffix(".cleaned") || name.hasSuffix(".tmp") { return "unfinished; the broker removes it" }
    if name.hasSuffix(".swap") { return "a compacted segment that was about to take its place" }
    return "is none of a broker's files; it is left alone"
  }
}
