import Testing

@testable import OttlaClient

@Suite struct PartitionBookTests {
  private let partition = TopicPartition("t", 0)

  private func handOver(_ book: inout PartitionBook, _ slot: Int, _ offset: Int64) -> RecordMark {
    let mark = book.mark(slot, offset)
    book.handOver(mark)
    return mark
  }

  @Test func onlyWhatIsProcessedMayBeCommitted() {
    var book = PartitionBook()
    book.assign([partition])
    let slot = book.slot(of: partition)
    #expect(book.partitions == [partition])
    let first = handOver(&book, slot, 5)
    _ = handOver(&book, slot, 6)
    #expect(book.takeUnstored().isEmpty)
    book.finish(first)
    #expect(book.takeUnstored().map(\.offset) == [6])
    #expect(book.takeUnstored().isEmpty)
    #expect(book.positions.map(\.offset) == [7])
    // Out of order: what is behind stays.
    book.finish(RecordMark(slot: slot, epoch: first.epoch, offset: 6))
    book.finish(first)
    #expect(book.takeUnstored().map(\.offset) == [7])
  }

  @Test func marksFromBeforeASeekOrARebalanceMeanNothing() {
    var book = PartitionBook()
    book.assign([partition])
    let slot = book.slot(of: partition)
    var mark = handOver(&book, slot, 10)
    book.seek(partition)
    book.finish(mark)
    #expect(!book.holds(mark) && book.takeUnstored().isEmpty && book.positions.isEmpty)
    mark = handOver(&book, slot, 3)
    book.revoke([partition])
    book.finish(mark)
    #expect(!book.holds(mark) && book.takeUnstored().isEmpty && book.assigned.isEmpty)
    book.assign([partition])
    book.finish(mark)
    #expect(!book.holds(mark) && book.takeUnstored().isEmpty && book.assigned == [partition])
    #expect(!book.holds(RecordMark(slot: 99, epoch: 0, offset: 0)))
  }

  @Test func theEndIsAPlaceToBeginAtOnlyWhereNothingWasRead() {
    var book = PartitionBook()
    book.assign([partition])
    let slot = book.slot(of: partition)
    book.reachEnd(slot, 7, isStored: true)
    #expect(book.takeUnstored().map(\.offset) == [7])
    let mark = handOver(&book, slot, 7)
    book.reachEnd(slot, 8, isStored: true)
    #expect(book.takeUnstored().isEmpty)
    book.finish(mark)
    #expect(book.takeUnstored().map(\.offset) == [8])
  }

  @Test func theEndIsThatOfThisTimeOfHolding() {
    var book = PartitionBook()
    let slot = book.slot(of: partition)
    book.reachEnd(slot, 7, isStored: true)
    #expect(!book.entries[slot].hasReachedEnd)
    book.assign([partition])
    #expect(!book.entries[slot].hasReachedEnd)
    book.reachEnd(slot, 7, isStored: false)
    #expect(book.entries[slot].hasReachedEnd && book.takeUnstored().isEmpty)
    book.seek(partition)
    #expect(!book.entries[slot].hasReachedEnd)
    book.reachEnd(slot, 7, isStored: true)
    book.revoke([partition])
    book.assign([partition])
    #expect(!book.entries[slot].hasReachedEnd && book.takeUnstored().isEmpty)
  }
}
