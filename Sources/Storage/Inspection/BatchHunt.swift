internal import Effects
internal import Primitives
internal import Records

/// Looks for the next sound batch where nothing says that one begins. It must have an offset that can stand there, and the
/// end or another plausible batch behind it: a batch that was sent as a record's value looks like one too.
struct BatchHunt {
  let window: FileWindow
  let due: Int64
  let limit: Int64?

  private static let blockByteCount = 256 << 10
  /// Bytes before which nobody can say what begins there.
  private static let headByteCount = 17

  /// - Parameter claimedByteCount: how long the batch at `damage` says that it is; looked at first.
  func next(behind damage: Int64, claimedByteCount: Int?) throws(IOError) -> Int64? {
    if let claimedByteCount, claimedByteCount > 0 {
      let end = damage + Int64(claimedByteCount)
      if end < window.byteCount, try isSound(at: end, mustBeFollowed: false) { return end }
    }
    // Made-up headers must not make the hunt endless.
    var checksummedBytesLeft = 4 * (window.byteCount - damage) + (64 << 20)
    var start = damage + 1
    while start + Int64(OldMessage.byteCountMin) <= window.byteCount {
      let places = try plausiblePlaces(from: start)
      for (position, byteCount) in places.found {
        checksummedBytesLeft -= Int64(byteCount)
        guard checksummedBytesLeft >= 0 else { return nil }
        if try isSound(at: position, mustBeFollowed: true) { return position }
      }
      start = places.next
    }
    return nil
  }

  /// Places of one block at which a batch may begin.
  private func plausiblePlaces(
    from start: Int64
  ) throws(IOError) -> (found: [(position: Int64, byteCount: Int)], next: Int64) {
    let count = Int(min(Int64(Self.blockByteCount), window.byteCount - start))
    guard let block = try window.bytes(at: start, count: count) else { return ([], window.byteCount) }
    var found: [(position: Int64, byteCount: Int)] = []
    var place = 0
    while place + Self.headByteCount <= block.count {
      if block[place + 16] <= 2 {
        let head = UnsafeRawBufferPointer(rebasing: block[place..<place + Self.headByteCount])
        let position = start + Int64(place)
        if let byteCount = plausibleByteCount(head, at: position) { found.append((position, byteCount)) }
      }
      place += 1
    }
    return (found, start + Int64(place))
  }

  /// How long the batch is whose first bytes are `head`; nil where none can begin so.
  private func plausibleByteCount(_ head: UnsafeRawBufferPointer, at position: Int64) -> Int? {
    guard let base = head.baseAddress else { return nil }
    let offset = base.bigEndian(Int64.self, at: 0)
    guard offset >= due, limit.map({ offset < $0 }) ?? true else { return nil }
    let byteCount = Int(base.bigEndian(Int32.self, at: 8)) + RecordBatchHeader.overheadByteCount
    let least = base.bigEndian(Int8.self, at: 16) == 2 ? RecordBatchHeader.byteCount : OldMessage.byteCountMin
    guard byteCount >= least, Int64(byteCount) <= window.byteCount - position else { return nil }
    return byteCount
  }

  private func isSound(at position: Int64, mustBeFollowed: Bool) throws(IOError) -> Bool {
    guard let head = try window.bytes(at: position, count: Self.headByteCount), head[16] <= 2,
      let byteCount = plausibleByteCount(head, at: position)
    else { return false }
    let isCurrent = head[16] == 2
    let end = position + Int64(byteCount)
    if mustBeFollowed, end < window.byteCount {
      guard let next = try window.bytes(at: end, count: Self.headByteCount), next[16] <= 2,
        plausibleByteCount(next, at: end) != nil
      else { return false }
    }
    guard let bytes = try window.bytes(at: position, count: byteCount) else { return false }
    guard isCurrent else { return OldMessage.checksumMatches(bytes) }
    guard let header = RecordBatchHeader(reading: bytes), header.lastOffsetDelta >= 0 else { return false }
    return header.checksumMatches(bytes)
  }
}
