import Configuration
import KafkaProtocol
import Primitives
import Storage

@testable import Replication

/// What brokers and the controller say to each other.
extension ReplicationModel {
  // MARK: fetching

  func ask(_ broker: ModelBroker) throws {
    guard let partition = broker.partition, broker.fetcher != nil else { return }
    guard let request = broker.fetcher?.nextRequest(now: now, position: { _ in partition.fetchReadiness }) else {
      return
    }
    nextToken += 1
    broker.askedToken = nextToken
    guard let leader = broker.fetcher?.leader else { return }
    network.append(.fetch(from: broker.id, to: leader, request, token: nextToken))
  }

  /// The connection of a fetcher breaks, or its answer takes too long; what was sent may still arrive.
  func breakFetch(of broker: ModelBroker) {
    guard broker.askedToken != nil else { return }
    broker.askedToken = nil
    broker.fetcher?.failed(now: now)
    steps.append("a fetch of \(broker.id.value) fails")
  }

  func deliver(_ position: Int) throws {
    let message = network.remove(at: position)
    switch message {
    case .fetch(let from, let to, let request, let token):
      guard let leader = broker(to), leader.isUp else { return }
      network.append(.fetched(to: from, try serve(request, at: leader), token: token))
    case .fetched(let to, let response, let token):
      guard let follower = broker(to), follower.askedToken == token else { return }
      follower.askedToken = nil
      try take(response, at: follower)
    case .alter(let from, let epoch, let proposal):
      let answer = controller.alter(from: from, brokerEpoch: epoch, proposal)
      steps.append("\(from.value) proposes \(proposal.isr.map(\.id.value)): \(answer)")
      network.append(.altered(to: from, proposal, answer))
      if case .committed = answer { try checks.joined(self, proposal) }
    case .altered(let to, let proposal, let answer):
      guard let broker = broker(to), let partition = broker.partition else { return }
      _ = partition.isrAnswered(proposal, answer, now: now)
      try settle(broker)
    }
  }

  /// The leader's part of a fetch, with its session.
  private func serve(_ request: FetchRequest, at leader: ModelBroker) throws -> FetchResponse {
    var id = request.sessionId
    if request.sessionEpoch == 0 {
      id = leader.nextSession
      leader.nextSession += 1
      leader.sessions[id] = ModelBroker.Session()
    } else {
      guard var session = leader.sessions[id] else { return FetchResponse(errorCode: .fetchSessionIdNotFound) }
      guard session.epoch == request.sessionEpoch else { return FetchResponse(errorCode: .invalidFetchSessionEpoch) }
      session.epoch += 1
      if !request.forgottenTopicsData.isEmpty { session.partition = nil }
      leader.sessions[id] = session
    }
    if let named = request.topics.first?.partitions.first { leader.sessions[id]?.partition = named }
    guard let asked = leader.sessions[id]?.partition else { return FetchResponse(sessionId: id) }
    let data = try read(asked, request.replicaState, at: leader)
    return FetchResponse(sessionId: id, responses: [.init(topicId: ModelBroker.topicID, partitions: [data])])
  }

  private func read(
    _ asked: FetchRequest.FetchPartition, _ replica: FetchRequest.ReplicaState, at leader: ModelBroker
  ) throws -> FetchResponse.PartitionData {
    var data = FetchResponse.PartitionData(partitionIndex: 0, highWatermark: -1)
    guard let partition = leader.partition else { return data }
    let fetch = FollowerFetch(
      replica: BrokerID(replica.replicaId), brokerEpoch: replica.replicaEpoch,
      currentLeaderEpoch: LeaderEpoch(asked.currentLeaderEpoch),
      position: FetchPosition(
        offset: Offset(asked.fetchOffset), lastFetchedEpoch: LeaderEpoch(asked.lastFetchedEpoch),
        logStartOffset: Offset(asked.logStartOffset)))
    do throws(KafkaError) {
      switch try partition.read(for: fetch, maxBytes: Int(asked.partitionMaxBytes), minOneBatch: true) {
      case .records(let slice):
        partition.followerFetched(fetch, now: now)
        data.records = .bytes((try? ModelBroker.bytes(slice)) ?? [])
      case .diverging(let epoch, let end):
        data.divergingEpoch = .init(epoch: epoch.value, endOffset: end.value)
      case .outOfRange(let start):
        data.errorCode = .offsetOutOfRange
        data.logStartOffset = start.value
        return data
      }
    } catch {
      data.errorCode = error.code
      return data
    }
    try settle(leader)
    data.highWatermark = partition.highWatermark.value
    data.logStartOffset = partition.log.logStartOffset.value
    try proposeIsr(leader)
    return data
  }

  private func take(_ response: FetchResponse, at broker: ModelBroker) throws {
    guard let outcomes = broker.fetcher?.take(response, now: now) else { return }
    for outcome in outcomes {
      guard let partition = broker.partition else { return }
      switch outcome.result {
      case .records(let records, let mark, let start):
        try append(records, mark, start, outcome, at: broker, partition)
      case .diverging(let epoch, let end):
        let cut = try partition.truncate(
          toAgreeWith: epoch, endOffset: end, leaderEpoch: outcome.leaderEpoch, now: wallClock)
        steps.append("\(broker.id.value) diverges from term \(epoch.value) at \(end.value): \(String(describing: cut))")
        try checks.cut(cut, broker)
      case .outOfRange(let start):
        let cut = try partition.restart(at: start, leaderEpoch: outcome.leaderEpoch, now: wallClock)
        steps.append("\(broker.id.value) is out of range, restart at \(start.value): \(String(describing: cut))")
        if cut == nil { broker.fetcher?.backOff(outcome.partition, now: now) }
      case .failed(let code, _): steps.append("\(broker.id.value) is told \(code.rawValue)")
      }
      broker.isChanged = true
    }
    try settle(broker)
  }

  private func append(
    _ records: RecordsPayload, _ mark: Offset, _ start: Offset, _ outcome: FetchOutcome, at broker: ModelBroker,
    _ partition: Partition
  ) throws {
    var bytes: [UInt8] = []
    if case .bytes(let all) = records { bytes = all }
    let followed = try bytes.withUnsafeBytes { bytes in
      try partition.appendFetched(
        bytes, leaderEpoch: outcome.leaderEpoch, fetchOffset: outcome.position.offset, highWatermark: mark,
        logStartOffset: start, now: wallClock)
    }
    broker.isChanged = true
    try broker.look()
    if followed.hasAppended {
      broker.isForgiven = false
      steps.append(
        "\(broker.id.value) appends up to \(partition.log.logEndOffset.value), high watermark \(partition.highWatermark.value)"
      )
      try checks.copied(self, broker, outcome)
    }
  }

  // MARK: the isr

  func proposeIsr(_ broker: ModelBroker) throws {
    guard let partition = broker.partition, let proposal = partition.isrChange(now: now) else { return }
    network.append(.alter(from: broker.id, brokerEpoch: broker.brokerEpoch, proposal))
    try settle(broker)
  }

  /// No answer comes in time.
  func breakProposal(of broker: ModelBroker) throws {
    guard let partition = broker.partition, let open = partition.leading?.proposal, open.retryAt == nil else { return }
    _ = partition.isrAnswered(open.proposal, .unanswered, now: now)
    try settle(broker)
  }
}
