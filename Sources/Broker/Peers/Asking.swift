internal import KafkaProtocol
internal import Primitives

/// Questions to other brokers whose answers are small and whole.
extension Shard {
  /// Sends a request on the lane of control; `finish` gets the answer, or an error that says whether to try again.
  func ask(
    _ request: Request, version: Int16, of broker: BrokerID, timeoutMs: Int64,
    finish: @escaping (Result<Response, KafkaError>) -> Void
  ) {
    send(request, version: version, to: broker, lane: .control, timeoutMs: timeoutMs) { outcome in
      switch outcome {
      case .answer(let response, _): finish(.success(response))
      case .failed(let failure): finish(.failure(Self.kafkaError(failure, of: broker)))
      }
    }
  }

  private static func kafkaError(_ failure: PeerFailure, of broker: BrokerID) -> KafkaError {
    switch failure {
    case .unreachable: KafkaError(.notController, "broker \(broker.value), the controller, cannot be reached")
    case .timedOut, .disconnected(sent: true), .badAnswer:
      // It may have been done.
      KafkaError(.requestTimedOut, "broker \(broker.value), the controller, gave no answer")
    case .disconnected(sent: false):
      KafkaError(.notController, "the connection to broker \(broker.value), the controller, was lost")
    case .queueFull: KafkaError(.throttlingQuotaExceeded, "too much waits for broker \(broker.value), the controller")
    }
  }
}
