import OttlaErrorHandling
import OttlaOutbox
import Testing

@testable import OttlaClient
@testable import OttlaOutboxProducer

@Suite struct OutboxRecordsTests {
  @Test func aRecordStaysTheSameOnItsWay() {
    let record = UndeliveredRecord(
      id: "17", topic: "t", key: [1], value: nil, headers: [Header("a", "b"), Header("n", nil as [UInt8]?)])
    let sent = ProducerRecord(OutboxMessage(record))
    #expect(
      sent
        == ProducerRecord(
          topic: "t", key: [1], value: nil, headers: record.headers + [Header("outbox-id", "17")]))
    // Whichever way it was sent, consumers look for its id in one place.
    #expect(UndeliveredRecord.idHeader == OutboxMessage.idHeader)
  }

  private func identity(_ id: String?, offset: Int64 = 17, timestamp: Int64? = 5) -> String {
    RecordIdentity.text(id: id, place: "t-0", offset: offset, timestamp: timestamp)
  }

  /// What a consumer reads.
  private func record(_ headers: [Header]) -> ConsumerRecord {
    ConsumerRecord(
      topicPartition: TopicPartition("t", 3), offset: 17, timestamp: 5, key: nil, value: nil, headers: headers,
      mark: RecordMark(slot: 0, epoch: 0, offset: 17))
  }

  @Test func whatWasReadIsKnownByItsHeaderOrByItsPlaceAndTime() {
    let message = OutboxMessage(id: "order-17", topic: "t", key: nil, text: "paid")
    #expect(record(ProducerRecord(message).headers).identity == "order-17")
    #expect(record([Header("id", "order-17")]).identity == "t-3@17/5")
  }

  @Test func aRecordIsKnownByItsIdWhereverItLies() {
    #expect(identity("order-17") == "order-17" && identity("order-17", offset: 18, timestamp: 6) == "order-17")
  }

  @Test func aRecordWithoutAnIdIsKnownByItsPlaceAndTime() {
    #expect(identity(nil) == "t-0@17/5")
    #expect(Set([identity(nil), identity(nil, offset: 18), identity(nil, timestamp: 6)]).count == 3)
    #expect(identity(nil, timestamp: nil) == "t-0@17")
    // What no outbox has written is no id: it might be too long for a column, or end in the middle of it.
    let long = String(repeating: "x", count: 200)
    #expect(identity(long) == long)
    for strange in ["", "a\0b", long + "x"] { #expect(identity(strange) == "t-0@17/5") }
  }
}
