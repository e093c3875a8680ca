import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func replayed(_ records: [MetadataRecord]) -> ClusterImage {
  var image = ClusterImage()
  for (offset, record) in records.enumerated() { image.replay(record, at: Offset(Int64(offset))) }
  return image
}

private func randomCommand(_ walk: inout Walk, in image: ClusterImage) -> ControllerCommand {
  let name = ["a", "b.c", "b_c", "d_e_f", "g"][walk.below(5)]
  switch walk.below(8) {
  case 0, 1:
    return .createTopics(
      CreateTopicsRequest(topics: [wanted(name, partitions: Int32(walk.below(4)), replicas: Int16(walk.below(4)))]))
  case 2: return .deleteTopics(DeleteTopicsRequest(topicNames: [name, "g"]))
  case 3:
    let topic = CreatePartitionsRequest.CreatePartitionsTopic(name: name, count: Int32(walk.below(8)))
    return .createPartitions(CreatePartitionsRequest(topics: [topic]))
  case 4:
    let config = IncrementalAlterConfigsRequest.AlterableConfig(
      name: ["retention.ms", "flush.ms"][walk.below(2)], configOperation: Int8(walk.below(2)), value: "\(walk.below(3))"
    )
    let resource = IncrementalAlterConfigsRequest.AlterConfigsResource(
      resourceType: 2, resourceName: name, configs: [config])
    return .incrementalAlterConfigs(IncrementalAlterConfigsRequest(resources: [resource]))
  case 5:
    let config = AlterConfigsRequest.AlterableConfig(name: "log.retention.ms", value: "\(1 + walk.below(3))")
    let resource = AlterConfigsRequest.AlterConfigsResource(
      resourceType: 4, resourceName: walk.below(2) == 0 ? "" : "1", configs: walk.below(3) == 0 ? [] : [config])
    return .alterConfigs(AlterConfigsRequest(resources: [resource]))
  case 6: return .balanceLeaders
  default: return .allocateProducerIDs(count: 10)
  }
}

@Suite struct ClusterImageTests {
  @Test func anEmptyImageHasNothing() {
    let image = ClusterImage()
    #expect(image.offset == Offset(-1) && image.clusterID.isEmpty && image.controllerID == .none)
    #expect(image.topicNames.isEmpty && image.topic(named: "a") == nil && image.topic(id: .zero) == nil)
    #expect(image.snapshotRecords().isEmpty)
  }

  /// A random history: the log, and the snapshot of it, make the image that the controller has; the indexes agree; every
  /// delta tells exactly what differs.
  @Test(arguments: 0..<12)
  func everyHistoryMakesOneImage(seed: Int) throws {
    var walk = Walk(seed: UInt64(seed))
    var cluster = try TestCluster(racks: ["x", "y", "x"])
    for _ in 0..<150 {
      let before = cluster.image
      let position = cluster.log.count
      try cluster.run(randomCommand(&walk, in: before))
      check(
        ClusterDelta.collect(Array(cluster.log[position...]), before: before, after: cluster.image), before,
        cluster.image)
    }
    let image = cluster.image
    let snapshot = image.snapshotRecords()
    #expect(snapshot.count <= cluster.log.count)
    #expect(replayed(cluster.log).snapshotRecords() == snapshot)
    #expect(replayed(snapshot).snapshotRecords() == snapshot)
    #expect(replayed(snapshot).ignoredRecordCount == 0)
    let topics = image.topicNames.compactMap { image.topic(named: $0) }
    #expect(topics.count == image.topicCount)
    #expect(topics.reduce(0) { $0 + $1.partitions.count } == image.partitionCount)
    #expect(topics.allSatisfy { image.topic(id: $0.id) == $0 })
    #expect(!(image.topicNames.contains("b.c") && image.topicNames.contains("b_c")))
  }

  private func check(_ delta: ClusterDelta, _ before: ClusterImage, _ after: ClusterImage) {
    let old = Set(before.topicNames.compactMap { before.topic(named: $0)?.id })
    let new = Set(after.topicNames.compactMap { after.topic(named: $0)?.id })
    #expect(Set(delta.topicsCreated) == new.subtracting(old))
    #expect(Set(delta.topicsDeleted.map(\.id)) == old.subtracting(new))
    let both = old.intersection(new)
    #expect(
      Set(delta.topicsChanged) == both.filter { before.topic(id: $0)?.partitions != after.topic(id: $0)?.partitions })
    let changed = both.flatMap { id in
      (after.topic(id: id)?.partitions ?? []).indices.map { TopicIDPartition(id, Int32($0)) }
    }.filter {
      before.topic(id: $0.topicID)?.partition($0.partition) != after.topic(id: $0.topicID)?.partition($0.partition)
    }
    #expect(Set(delta.partitionsChanged) == Set(changed))
    let reconfigured = both.filter { before.topic(id: $0)?.configs != after.topic(id: $0)?.configs }
    #expect(
      Set(delta.configsChanged.filter { $0.type == .topic }.map(\.name))
        == Set(reconfigured.compactMap { after.topic(id: $0)?.name }))
  }

  @Test func aCopyStaysAsItWas() throws {
    var cluster = try TestCluster()
    try cluster.create("a")
    let copy = cluster.image
    try cluster.create("b")
    try cluster.run(.deleteTopics(DeleteTopicsRequest(topicNames: ["a"])))
    #expect(copy.topicNames == ["a"] && copy.partitionCount == 1)
    #expect(cluster.image.topicNames == ["b"])
  }

  /// Records that a damaged log may hold change nothing, and trap nowhere.
  @Test func recordsThatFitNothingAreIgnored() {
    let id = UUID(high: 1, low: 1)
    let topic = MetadataRecord.topic(TopicRecord(name: "a", topicId: id))
    func partition(_ index: Int32, of id: UUID) -> MetadataRecord {
      .partition(PartitionRecord(topicId: id, partitionIndex: index, replicas: [1], isr: [1], leader: 1))
    }
    let image = replayed([
      topic, topic, .topic(TopicRecord(name: "a", topicId: UUID(high: 2, low: 2))), partition(0, of: id),
      partition(2, of: id), partition(-1, of: id), partition(.max, of: id), partition(0, of: .zero),
      .removeTopic(RemoveTopicRecord(topicId: .zero)), .removeBroker(RemoveBrokerRecord(brokerId: 4)),
      .config(ConfigRecord(resourceType: 2, resourceName: "no", name: "x", value: "1")),
      .config(ConfigRecord(resourceType: 99, resourceName: "a", name: "x", value: "1")),
    ])
    #expect(image.ignoredRecordCount == 10)
    #expect(image.topicCount == 1 && image.partitionCount == 1 && image.topic(named: "a")?.id == id)
    #expect(image.topic(named: "a")?.partition(-1) == nil && image.topic(named: "a")?.partition(1) == nil)
    #expect(image.offset == Offset(11))
  }

  @Test func theControllerIsNamedFromOutside() throws {
    var image = try TestCluster(racks: [nil, nil]).image
    #expect(image.controllerID == BrokerID(1))
    image.controllerID = BrokerID(2)
    #expect(image.controllerID == BrokerID(2))
  }

  @Test func aFencedBrokerIsNoControllerToTell() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.lose(1)
    #expect(cluster.image.controllerID == BrokerID(2))
  }

  /// Shards look at the partitions named, not at all of a topic.
  @Test func aDeltaNamesPartitionsAndBrokers() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2], [2, 1], [1, 2]])
    let topic = try #require(cluster.image.topic(named: "a")).id
    let before = cluster.image
    let position = cluster.log.count
    try cluster.lose(1)
    let delta = ClusterDelta.collect(Array(cluster.log[position...]), before: before, after: cluster.image)
    #expect(delta.brokersChanged == ids(1) && delta.topicsChanged == [topic])
    #expect(delta.partitionsChanged == [0, 1, 2].map { TopicIDPartition(topic, $0) })
    try cluster.create("b", on: [[2]])
    try cluster.run(.createPartitions(CreatePartitionsRequest(topics: [.init(name: "a", count: 4)])))
    let grown = ClusterDelta.collect(Array(cluster.log[position...]), before: before, after: cluster.image)
    #expect(grown.partitionsChanged == [0, 1, 2, 3].map { TopicIDPartition(topic, $0) })
    #expect(grown.topicsCreated.count == 1)
  }

  @Test func aDeltaIsInTheRecordsOrder() throws {
    var cluster = try TestCluster()
    let before = cluster.image
    let position = cluster.log.count
    let ids = try cluster.create(["z", "m", "a", "q"].map { wanted($0) }).map(\.topicId)
    let delta = ClusterDelta.collect(Array(cluster.log[position...]), before: before, after: cluster.image)
    #expect(delta.topicsCreated == ids)
    #expect(delta.configsChanged.isEmpty && delta.topicsChanged.isEmpty)
  }

  /// A topic that came and went in one run of records is nobody's business.
  @Test func aDeltaTellsOnlyWhatIsLeft() throws {
    var cluster = try TestCluster()
    let before = cluster.image
    let position = cluster.log.count
    try cluster.create("a")
    try cluster.run(.deleteTopics(DeleteTopicsRequest(topicNames: ["a"])))
    let delta = ClusterDelta.collect(Array(cluster.log[position...]), before: before, after: cluster.image)
    #expect(delta.isEmpty)
    try cluster.return(1)
    let again = ClusterDelta.collect([try #require(cluster.log.last)], before: before, after: cluster.image)
    #expect(again.brokersChanged == [BrokerID(1)])
  }
}
