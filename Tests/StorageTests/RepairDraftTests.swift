import Primitives
import Records
import Testing

@testable import Storage

/// What may be written over damage, and what may not.
@Suite struct RepairDraftTests {
  /// A replica whose third batch, of offsets 4 and 5, is damaged.
  private func fixture() throws -> (RepairFixture, RepairDraft) {
    let fixture = try RepairFixture { disk in
      try RepairFixture.change(RepairFixture.paths(disk)[0], disk) { bytes in
        let size = splitBatches(bytes)[0].bytes.count
        bytes[2 * size + 70] ^= 1
      }
    }
    let place = try #require(fixture.own.log.damagedPlace)
    try #require(place.offsets == Offset(4)..<Offset(6))
    return (fixture, RepairDraft(place))
  }

  private func expectMisfit(
    _ bytes: [UInt8], _ draft: RepairDraft, _ location: SourceLocation = #_sourceLocation
  ) {
    var draft = draft
    let step = bytes.withUnsafeBytes { draft.take($0) }
    guard case .doesNotFit = step else {
      Issue.record("\(step)", sourceLocation: location)
      return
    }
  }

  /// A batch with another base offset, which its checksum does not cover.
  private func at(_ offset: Int64, _ batch: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: offset.bigEndian) { Array($0) } + batch[8...]
  }

  private func inEpoch(_ epoch: Int32, _ batch: [UInt8]) -> [UInt8] {
    Array(batch[..<12]) + withUnsafeBytes(of: epoch.bigEndian) { Array($0) } + batch[16...]
  }

  @Test func batchesBeforeAndBehindAreLeftOut() throws {
    let (fixture, empty) = try fixture()
    var draft = empty
    let all = fixture.batches[..<6].flatMap(\.bytes)
    let step = all.withUnsafeBytes { draft.take($0) }
    #expect(step == .isReady)
    #expect(draft.isComplete && draft.bytes == fixture.batches[2].bytes)
  }

  @Test func aPartOfABatchIsWaitedFor() throws {
    let (fixture, empty) = try fixture()
    var draft = empty
    let bytes = fixture.batches[2].bytes
    let first = bytes.dropLast().withUnsafeBytes { draft.take($0) }
    #expect(first == .wantsMore && draft.nextOffset == Offset(4))
    let second = bytes.withUnsafeBytes { draft.take($0) }
    #expect(second == .isReady)
  }

  @Test func onlyWhatStoodThereFits() throws {
    let (fixture, draft) = try fixture()
    let right = fixture.batches[2].bytes
    // A damaged batch, also where the place is.
    var flipped = right
    flipped[80] ^= 1
    expectMisfit(flipped, draft)
    // Another length, as where compaction took other ways.
    expectMisfit(at(4, makeBatch(2, valueByteCount: 19)), draft)
    expectMisfit(at(4, makeBatch(2, valueByteCount: 21)), draft)
    // Other offsets.
    expectMisfit(at(4, makeBatch(3)), draft)
    expectMisfit(at(5, makeBatch(1)), draft)
    expectMisfit(at(6, right), draft)
    // A term that cannot be there.
    expectMisfit(inEpoch(3, right), draft)
    // No batch at all.
    expectMisfit([UInt8](repeating: 0, count: 200), draft)
  }

  @Test func nothingIsSaidByMutations() throws {
    let (fixture, draft) = try fixture()
    var random = SeededGenerator(5)
    let right = fixture.batches[2].bytes
    for _ in 0..<2000 {
      var bytes = right + fixture.batches[3].bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<right.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if bytes[..<right.count].elementsEqual(right) { continue }
      var draft = draft
      // Only the term is not covered: it may be another one of those around.
      let step = bytes.withUnsafeBytes { draft.take($0) }
      if step == .isReady { #expect(inEpoch(0, draft.bytes) == inEpoch(0, right)) }
    }
  }
}
