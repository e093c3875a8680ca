internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// InitProducerId: a number for an idempotent producer (KIP-98). Numbers come in blocks from the controller, so that
/// none is ever given twice, whatever restarts.
extension Shard {
  private static let producerIDBlock: Int32 = 1000

  func initProducerID(_ request: InitProducerIdRequest, _ context: RequestContext) {
    guard request.transactionalId == nil else {
      return reply(
        context.replyTo, .initProducerId(InitProducerIdResponse(errorCode: .invalidRequest, producerEpoch: -1)))
    }
    guard let next = producerIDs.first else {
      producerIDWaits.append(context)
      if producerIDWaits.count == 1 { fetchProducerIDs() }
      return
    }
    producerIDs.removeFirst()
    reply(context.replyTo, .initProducerId(InitProducerIdResponse(producerId: next, producerEpoch: 0)))
  }

  /// What a client is told that gets no number now: COORDINATOR_LOAD_IN_PROGRESS, as by Kafka's `RPCProducerIdManager`. Whatever
  /// keeps the controller from answering passes, and clients that ask no controller take NOT_CONTROLLER for the end.
  static func codeWithoutProducerIDs(_ error: KafkaError) -> ErrorCode {
    error.code == .kafkaStorageError ? error.code : .coordinatorLoadInProgress
  }

  private func fetchProducerIDs() {
    command(.allocateProducerIDs(count: Self.producerIDBlock)) { [unowned self] result in
      let waits = producerIDWaits
      producerIDWaits.removeAll()
      switch result {
      case .success(.producerIDs(let first, let count)):
        producerIDs = first.value..<first.value + Int64(count)
        for context in waits { initProducerID(InitProducerIdRequest(), context) }
      case .failure(let error):
        let code = Self.codeWithoutProducerIDs(error)
        for context in waits {
          reply(context.replyTo, .initProducerId(InitProducerIdResponse(errorCode: code, producerEpoch: -1)))
        }
      case .success(let other): preconditionFailure("producer ids were answered with \(other)")
      }
    }
  }
}
