/// Which records of one partition are done, in whatever order they were, and up to where that is all of them.
///
/// Only the records before the first that is not done may be committed: a group that starts anew goes on there, and reads
/// again what was done behind it. Records come in order of their offsets, which may have gaps.
struct AcknowledgementWindow<Record> {
  private struct Entry {
    let offset: Int64
    let record: Record
    let byteCount: Int
    var isDone = false
  }

  /// In order of offsets; those before `first` are done, and over.
  private var entries: [Entry] = []
  private var first = 0
  /// The offset of the newest record that was handed out.
  private(set) var newest: Int64?
  /// The bytes of those that hold the window open.
  private(set) var byteCount = 0

  /// How many records hold the window open: those handed out, from the first that is not done on.
  var count: Int { entries.count - first }
  var isEmpty: Bool { count == 0 }

  /// A record has been handed to whoever works on it.
  ///
  /// - Returns: false, with nothing changed, for one that is not behind all others: reading has begun anew elsewhere.
  mutating func handOut(_ record: Record, at offset: Int64, byteCount: Int = 0) -> Bool {
    if let newest, offset <= newest { return false }
    newest = offset
    entries.append(Entry(offset: offset, record: record, byteCount: byteCount))
    self.byteCount += byteCount
    return true
  }

  /// A record is done.
  ///
  /// - Returns: the record up to which all are done now; nil where that is none more than before, and for a record that
  ///   nobody was handed, or that was done before.
  mutating func acknowledge(_ offset: Int64) -> Record? {
    guard let place = place(of: offset), !entries[place].isDone else { return nil }
    entries[place].isDone = true
    guard place == first else { return nil }
    while first < entries.count, entries[first].isDone {
      byteCount -= entries[first].byteCount
      first += 1
    }
    defer { trim() }
    return entries[first - 1].record
  }

  private func place(of offset: Int64) -> Int? {
    var low = first
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].offset == offset ? low : nil
  }

  /// What is over goes when it is most of what is kept, so that each record is moved about once.
  private mutating func trim() {
    guard first * 2 >= entries.count else { return }
    entries.removeFirst(first)
    first = 0
  }
}
