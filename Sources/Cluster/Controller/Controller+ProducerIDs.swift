internal import KafkaProtocol
internal import Primitives

extension Controller {
  func allocateProducerIDs(_ count: Int32) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    guard count > 0 else {
      throw KafkaError(.invalidRequest, "\(count) producer ids were asked for; at least 1 is needed.")
    }
    let first = image.nextProducerID
    let (next, overflow) = first.value.addingReportingOverflow(Int64(count))
    if overflow { throw KafkaError(.unknownServerError, "All producer ids were handed out.") }
    let record = MetadataRecord.producerIds(ProducerIdsRecord(nextProducerId: next))
    return Decision(records: [record], reply: .producerIDs(first: first, count: count))
  }

  /// A block for another broker, of Kafka's size.
  func allocateProducerIDs(
    _ request: AllocateProducerIdsRequest
  ) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    _ = try registeredBroker(BrokerID(request.brokerId), epoch: request.brokerEpoch)
    let response = AllocateProducerIdsResponse(
      producerIdStart: image.nextProducerID.value, producerIdLen: limits.producerIDBlock)
    let records = try allocateProducerIDs(limits.producerIDBlock).records
    return Decision(records: records, reply: .producerIDBlock(response))
  }
}
