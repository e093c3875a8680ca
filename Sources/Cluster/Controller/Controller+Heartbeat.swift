internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  /// - Throws: BROKER_ID_NOT_REGISTERED, STALE_BROKER_EPOCH; INVALID_REQUEST for what brokers here do not ask by heartbeat.
  func brokerHeartbeat(
    _ request: BrokerHeartbeatRequest
  ) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    let broker = try registeredBroker(BrokerID(request.brokerId), epoch: request.brokerEpoch)
    if request.wantFence {
      throw KafkaError(.invalidRequest, "A broker is fenced when it is not known as alive, not by a heartbeat.")
    }
    if !request.offlineLogDirs.isEmpty || request.cordonedLogDirs?.isEmpty == false {
      throw KafkaError(.invalidRequest, "The state of single log directories is not kept by the controller.")
    }
    let leaving = request.wantShutDown && !broker.isFenced ? shutDown(broker) : (records: [], isLeftWaitedFor: false)
    let response = BrokerHeartbeatResponse(
      isCaughtUp: request.currentMetadataOffset >= image.offset.value, isFenced: broker.isFenced,
      shouldShutDown: request.wantShutDown && !leaving.isLeftWaitedFor)
    return Decision(records: leaving.records, reply: .brokerHeartbeat(response))
  }

  /// The broker of that id, in that life.
  ///
  /// - Throws: BROKER_ID_NOT_REGISTERED or STALE_BROKER_EPOCH.
  func registeredBroker(_ id: BrokerID, epoch: Int64) throws(KafkaError) -> BrokerRegistration {
    guard let broker = image.brokers[id] else {
      throw KafkaError(.brokerIdNotRegistered, "No broker with id \(id.value) is registered.")
    }
    guard broker.epoch == epoch else {
      throw KafkaError(
        .staleBrokerEpoch, "Broker \(id.value) is registered with epoch \(broker.epoch), not with \(epoch).")
    }
    return broker
  }

  /// First nobody gives it anything more, then others lead in its place. What it alone has in sync it leads to the end;
  /// where a replica is alive that may still catch up, that is worth waiting for.
  private func shutDown(_ broker: BrokerRegistration) -> (records: [MetadataRecord], isLeftWaitedFor: Bool) {
    var records: [MetadataRecord] = []
    var brokers = image.brokers
    if !broker.isShuttingDown {
      var leaving = broker
      leaving.isShuttingDown = true
      brokers[broker.id] = leaving
      records.append(leaving.metadataRecord)
    }
    let living = LivingBrokers(brokers)
    let mayHandOver = { (partition: PartitionImage) in
      partition.isr.contains(broker.id) && partition.isr.contains(where: living.isActive)
    }
    changePartitions(
      where: mayHandOver,
      { old, config in
        var partition = old
        partition.isr.removeAll { $0 == broker.id }
        return LeaderElection(brokers: living, isUncleanAllowed: config.uncleanLeaderElectionEnable)
          .settled(partition, from: old)
      }, note: { record, _ in records.append(record) })
    let isLeftWaitedFor = image.topicNames.contains { name in
      image.topic(named: name)!.partitions.contains { partition in
        partition.leader == broker.id && !mayHandOver(partition)
          && partition.replicas.contains { living.isActive($0) && !partition.offlineReplicas.contains($0) }
      }
    }
    return (records, isLeftWaitedFor)
  }
}
