import Primitives
import Testing

@testable import Broker

@Suite struct InitProducerIdTests {
  @Test func whoGetsNoNumberIsToldToAskAgain() {
    for code in [ErrorCode.notController, .requestTimedOut, .throttlingQuotaExceeded, .staleBrokerEpoch] {
      #expect(Shard.codeWithoutProducerIDs(KafkaError(code)) == .coordinatorLoadInProgress)
    }
    #expect(Shard.codeWithoutProducerIDs(KafkaError(.kafkaStorageError)) == .kafkaStorageError)
  }
}
