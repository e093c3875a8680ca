import OttlaClient
import OttlaOutbox
import Testing

@testable import account_service

@Suite struct PublishingTests {
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
