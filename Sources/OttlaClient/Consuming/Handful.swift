internal import CLibrdkafka
internal import Glibc
internal import Synchronization

/// Records that were taken together, and go to a loop one by one without the reader's lock.
///
/// They stay librdkafka's until all of them are handed over, so few are held twice: allocators are slow where a thread frees, now and then, what
/// another one is allocating. Any thread may call the rest back; only one task takes, which the
/// iterator that it belongs to sees to: it is not Sendable.
///
/// Interleaving that must neither lose nor double a record: the loop takes one while another thread calls the rest back, because partitions go or
/// reading goes on elsewhere. Both are one atomic step on `asked`. What was asked for before the end counts as handed
/// over; who asks later gets nothing, and turns to the reader.
final class Handful: Sendable {
  typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

  /// A message and its place in the book.
  struct Entry {
    /// The message's bits, for pointers are not Sendable. It belongs to who made the handful.
    private let bits: UInt
    let mark: RecordMark

    init(_ message: Message, _ mark: RecordMark) {
      bits = UInt(bitPattern: message)
      self.mark = mark
    }

    var message: Message? { Message(bitPattern: bits) }
  }

  /// On top of `asked` once the rest was called back.
  private static let end = 1 << 48

  let entries: [Entry]
  /// Partitions by the slots of the marks.
  private let partitions: [TopicPartition]
  /// How often an entry was asked for.
  private let asked = Atomic<Int>(0)
  /// Set while a record is being copied out of librdkafka's memory.
  private let copying = Atomic<Bool>(false)

  init(_ entries: [Entry], _ partitions: [TopicPartition]) {
    self.entries = entries
    self.partitions = partitions
  }

  /// The next record; nil when there is none any more. For one task.
  func take() -> ConsumerRecord? {
    // Before the entry is asked for: who calls the rest back then sees it.
    copying.store(true, ordering: .relaxed)
    defer { copying.store(false, ordering: .releasing) }
    let index = asked.add(1, ordering: .acquiringAndReleasing).oldValue
    guard index < entries.count, let message = entries[index].message else { return nil }
    let mark = entries[index].mark
    return ConsumerRecord(message, partitions[mark.slot], mark)
  }

  /// How many were handed over so far.
  var handed: Int { min(asked.load(ordering: .acquiring) & (Self.end - 1), entries.count) }

  /// Lets nobody take any more, and waits until the last record that was asked for is copied: it may be destroyed then.
  ///
  /// - Returns: how many were handed over; the rest is the caller's.
  func callBack() -> Int {
    let before = asked.bitwiseOr(Self.end, ordering: .acquiringAndReleasing).oldValue
    while copying.load(ordering: .acquiring) { sched_yield() }
    return min(before & (Self.end - 1), entries.count)
  }
}
