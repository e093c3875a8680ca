import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

@Suite struct ControllerWalkTests {
  @Test(arguments: 0..<24)
  func everyDecisionKeepsTheRules(seed: Int) throws {
    var walk = try ControllerWalk(seed: seed)
    for _ in 0..<250 { try walk.step() }
    try walk.heal()
    var image = ClusterImage()
    for (offset, record) in walk.cluster.log.enumerated() { image.replay(record, at: Offset(Int64(offset))) }
    #expect(image.snapshotRecords() == walk.cluster.image.snapshotRecords())
  }
}
