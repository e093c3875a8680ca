import OttlaClient
import OttlaOutbox
import Testing

@testable import account_service

@Suite struct PublishingTests {
  @Test(arguments: [
    (ProducerError.notDelivered(.fatal(code: 47, name: "INVALID_PRODUCER_EPOCH", reason: ""), mayArrive: true), true),
    (.notDelivered(.authenticationFailed(reason: ""), mayArrive: false), true),
    (.closed, false), (.queueFull, false), (.notDelivered(.unknownTopic("t"), mayArrive: false), false),
    (.notDelivered(.timedOut(operation: "delivery", reason: "30 s"), mayArrive: true), false),
    (.rejected(.messageTooLarge(reason: "")), false),
    (.rejected(.invalidValue(property: "timestamp", value: "-1", reason: "")), false),
  ])
  func itEndsWhereTheProducerCanDoNothingMore(_ error: ProducerError, _ isEnd: Bool) {
    #expect(Publishing.mustEnd(error) == isEnd)
  }

  /// What the demo promises: see its README.
  @Test func itIsAsPromised() {
    let configuration = Publishing.configuration(bootstrap: "b:1")
    #expect(configuration.acks == .all && configuration.enableIdempotence)
    #expect(configuration.maxInFlightRequestsPerConnection <= 5 && configuration.deliveryTimeoutMs > 1000)
    let settings = Publishing.settings(keeping: .seconds(60))
    #expect(settings.interval == .seconds(1) && settings.cleaningInterval == .seconds(60))
    #expect(settings.retention == .seconds(60))
    for failures in [1, 2, 50] {
      #expect(settings.retryPause.delay(afterFailures: failures, random: 0.9) == .seconds(1))
    }
  }
}
