import Primitives
import Records
import Testing

@Suite struct ControlRecordTests {
  @Test(arguments: [ControlRecord.Kind.abort, .commit]) func roundTrip(kind: ControlRecord.Kind) throws {
    let marker = ControlRecord(kind, coordinatorEpoch: 77)
    #expect(marker.key == [0, 0, 0, kind == .commit ? 1 : 0])
    #expect(marker.value == [0, 0, 0, 0, 0, 77])
    let batch = marker.batch(
      producerID: ProducerID(9), producerEpoch: ProducerEpoch(2), timestamp: Timestamp(milliseconds: 5))
    let header = try #require(batch.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    #expect(header.attributes.isControl && header.attributes.isTransactional)
    #expect(header.producerID == ProducerID(9) && header.producerEpoch == ProducerEpoch(2))
    #expect(header.baseSequence == -1)
    var read: [ControlRecord?] = []
    try batch.eachRecord { record, memory in
      guard let key = record.key, let value = record.value else { return false }
      read.append(
        ControlRecord(
          key: UnsafeRawBufferPointer(rebasing: memory[key]), value: UnsafeRawBufferPointer(rebasing: memory[value])))
      return true
    }
    #expect(read == [marker])
  }

  private func read(_ key: [UInt8], _ value: [UInt8]) -> ControlRecord? {
    key.withUnsafeBytes { key in value.withUnsafeBytes { ControlRecord(key: key, value: $0) } }
  }

  @Test func laterVersionsMayBeLonger() {
    #expect(read([0, 1, 0, 1, 9], [0, 1, 0, 0, 0, 3, 9]) == ControlRecord(.commit, coordinatorEpoch: 3))
  }

  @Test func whatIsNoMarkerIsNil() {
    #expect(read([], []) == nil)
    #expect(read([0, 0, 0], [0, 0, 0, 0, 0, 1]) == nil)
    #expect(read([0, 0, 0, 1], [0, 0, 0, 0, 0]) == nil)
    #expect(read([0, 0, 0, 2], [0, 0, 0, 0, 0, 1]) == nil)
    #expect(read([0xff, 0xff, 0, 1], [0, 0, 0, 0, 0, 1]) == nil)
  }
}
