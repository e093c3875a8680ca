internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Replicas of this shard of which the cluster may know something else than is true: whether they can be served.
///
/// Only what the image says and what is so are compared, each time anew; so it does not matter what was asked before, got
/// lost, or has been overtaken. A broker that the cluster does not know in this life says nothing: with the next one
/// nothing is held against it.
struct LostReplicas {
  var suspects: Set<Reopening.Place> = []
  var isAsking = false
  var hasTimer = false
}

extension Shard {
  private static let lostReplicasRetryMs: Int64 = 500

  /// A replica may be lost now, or there again, or another image speaks of it.
  func compareLost(_ place: Reopening.Place) {
    // A broker that is alone has nobody to whom it could leave its partitions.
    guard startConfig.zookeeperConnect != nil, isMisstated(place) != nil else { return }
    lostReplicas.suspects.insert(place)
  }

  /// The same for all: this run of the broker has just become known.
  func compareAllLost() {
    for (id, routed) in topicsByID {
      for number in routed.places.indices { compareLost(Reopening.Place(topicID: id, partition: Int32(number))) }
    }
  }

  /// Whether a replica of this shard is lost, where the image says otherwise; nil where the image is right.
  private func isMisstated(_ place: Reopening.Place) -> Bool? {
    guard membership != nil, owner(of: place.topicID, Int(place.partition)) == index,
      let partition = image.topic(id: place.topicID)?.partition(place.partition),
      partition.replicas.contains(brokerID)
    else { return nil }
    let isLost: Bool
    switch topicsByID[place.topicID]?.place(place.partition) {
    case .here(let hosted)?: isLost = hosted.partition.log.isFenced
    case .offline?: isLost = true
    case .opening?, .shard?, .elsewhere?, nil: return nil
    }
    return isLost == partition.offlineReplicas.contains(brokerID) ? nil : isLost
  }

  /// Tells the controller, at the end of a turn, in one request.
  func tellLostReplicas() {
    guard !lostReplicas.suspects.isEmpty, !lostReplicas.isAsking, !lostReplicas.hasTimer, !isStopping else { return }
    var lost: [Reopening.Place] = []
    var found: [Reopening.Place] = []
    for place in lostReplicas.suspects.sorted() {
      switch isMisstated(place) {
      case true?: lost.append(place)
      case false?: found.append(place)
      case nil: break
      }
    }
    lostReplicas.suspects = Set(lost + found)
    guard !lostReplicas.suspects.isEmpty else { return }
    lostReplicas.isAsking = true
    let request = AssignReplicasToDirsRequest(
      brokerId: brokerID.value, brokerEpoch: brokerEpoch,
      directories: [(DirectoryID.lost, lost), (DirectoryID.unassigned, found)].filter { !$0.1.isEmpty }.map {
        .init(id: $0.0, topics: Self.byTopic($0.1))
      })
    command(.assignReplicasToDirs(request)) { [unowned self] result in
      lostReplicas.isAsking = false
      told(lost.count, found.count, result)
    }
  }

  private func told(_ lostCount: Int, _ foundCount: Int, _ result: Result<ControllerReply, KafkaError>) {
    if case .success(.assignReplicasToDirs(let response)) = result, response.errorCode == .none {
      if lostCount > 0 {
        environment.logger.warning("\(lostCount) replicas cannot be served here: others lead them, where there are any")
      }
      if foundCount > 0 { environment.logger.info("\(foundCount) replicas can be served here again") }
    } else if case .failure(let error) = result {
      environment.logger.debug("the controller could not be told of lost replicas: \(error.code.name)")
    }
    // This shard's image has what came of it; what still differs, differs for another reason.
    guard lostReplicas.suspects.contains(where: { isMisstated($0) != nil }) else { return }
    lostReplicas.hasTimer = true
    timers.schedule(.lostReplicas, at: now.advanced(byMilliseconds: Self.lostReplicasRetryMs))
  }

  func lostReplicasTimerFired() { lostReplicas.hasTimer = false }

  private static func byTopic(
    _ places: [Reopening.Place]
  ) -> [AssignReplicasToDirsRequest.TopicData] {
    var topics: [AssignReplicasToDirsRequest.TopicData] = []
    for place in places {
      if topics.last?.topicId != place.topicID { topics.append(.init(topicId: place.topicID)) }
      topics[topics.count - 1].partitions.append(.init(partitionIndex: place.partition))
    }
    return topics
  }
}
