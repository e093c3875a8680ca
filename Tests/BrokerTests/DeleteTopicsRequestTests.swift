import Configuration
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker
@testable import Cluster

/// What is asked for in any version reaches the controller of another broker, and is answered where there is none.
@Suite struct DeleteTopicsRequestTests {
  private static let names = ["orders", "invoices"]

  /// As a client of that version sends it.
  private func request(version: Int16) -> DeleteTopicsRequest {
    version < 6
      ? DeleteTopicsRequest(topicNames: Self.names, timeoutMs: 700)
      : DeleteTopicsRequest(topics: Self.names.map { .init(name: $0) }, timeoutMs: 700)
  }

  @Test(arguments: Int16(1)...6)
  func everyNameGoesToTheController(version: Int16) throws {
    let command = ControllerCommand.deleteTopics(request(version: version))
    let sent = try #require(command.request(of: BrokerID(1), epoch: 5))
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    sent.request.encode(into: &writer, version: sent.version)
    var reader = Reader(buffer.bytes)
    let received = DeleteTopicsRequest.decode(from: &reader, version: sent.version)
    #expect(received.topics.map(\.name) == Self.names && received.timeoutMs == 700)
  }

  @Test(arguments: Int16(1)...6)
  func everyNameIsAnsweredWhereNobodyDecides(version: Int16) {
    let response = request(version: version).refused(KafkaError(.notController, "nobody"))
    #expect(response.responses.map(\.name) == Self.names)
    #expect(response.responses.allSatisfy { $0.errorCode == .notController && $0.errorMessage == "nobody" })
  }
}
