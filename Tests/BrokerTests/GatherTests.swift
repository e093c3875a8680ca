import KafkaProtocol
import Primitives
import Testing

@testable import Broker

@Suite struct GatherTests {
  @Test func outcomesComeBackInTheOrderOfTheRequest() {
    var finished: [[Int64]] = []
    let gather = PartitionGather(count: 3) { outcomes in
      finished.append(
        outcomes.map { if case .deletedRecords(let mark) = $0 { mark } else { -1 } })
    }
    for index in [2, 0, 1] {
      #expect(!gather.isComplete)
      gather.take(index, .deletedRecords(lowWatermark: Int64(index * 10)))
    }
    #expect(gather.isComplete)
    gather.complete()
    #expect(finished == [[0, 10, 20]])
  }

  @Test func responsesComeBackInTheOrderOfTheRequest() {
    var finished: [Response] = []
    let gather = ResponseGather(count: 2) { finished = $0 }
    gather.take(1, .heartbeat(HeartbeatResponse(errorCode: .rebalanceInProgress)))
    #expect(!gather.isComplete)
    gather.take(0, .heartbeat(HeartbeatResponse(errorCode: .none)))
    #expect(gather.isComplete)
    gather.complete()
    let expected: [Response] = [
      .heartbeat(HeartbeatResponse(errorCode: .none)), .heartbeat(HeartbeatResponse(errorCode: .rebalanceInProgress)),
    ]
    #expect(finished == expected)
  }

  @Test func aRequestForNothingIsComplete() {
    #expect(PartitionGather(count: 0) { _ in }.isComplete)
    #expect(ResponseGather(count: 0) { _ in }.isComplete)
  }
}
