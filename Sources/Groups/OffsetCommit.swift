internal import KafkaProtocol
internal import Primitives

/// OffsetCommit: members, and clients that only keep offsets here, store where they have got to.
extension GroupCoordinator {
  func commit(_ request: OffsetCommitRequest, _ asker: Asker, _ topics: some TopicLookup, _ step: inout Step) {
    let names = request.topics.map { storedName(of: $0, asker, topics) }
    // Unknown topics fail alone. Where no topic is known, nothing is asked of the group.
    let isAnyKnown = names.contains { if case .success = $0 { true } else { false } }
    let groupCode = isAnyKnown ? commitRefusal(of: request, asker) : nil
    var records: [CoordinatorRecord] = []
    var response = OffsetCommitResponse()
    for (topic, name) in zip(request.topics, names) {
      var result = OffsetCommitResponse.OffsetCommitResponseTopic(name: topic.name, topicId: topic.topicId)
      for partition in topic.partitions {
        let code: ErrorCode
        switch name {
        case .failure(let error): code = error.code
        case .success(let name):
          code = groupCode ?? commitCode(partition)
          guard code == .none else { break }
          let offset = committedOffset(partition, request, step)
          let group = GroupID(request.groupId)
          records.append(.commit(offset, group: group, topic: name, partition: partition.partitionIndex))
        }
        result.partitions.append(.init(partitionIndex: partition.partitionIndex, errorCode: code))
      }
      response.topics.append(result)
    }
    guard fits(records) else {
      return refuse(request, .invalidCommitOffsetSize, asker, &step)
    }
    if isAnyKnown, groupCode == nil { renewSessionOnCommit(request, &step) }
    for record in records { step.append(record) }
    let failure = GroupRequest.offsetCommit(request).failed(version: asker.version)
    let answer = Response.offsetCommit(response)
    step.answer(asker.token, answer, onFailure: records.isEmpty ? answer : failure)
  }

  private func refuse(_ request: OffsetCommitRequest, _ code: ErrorCode, _ asker: Asker, _ step: inout Step) {
    step.answer(asker.token, GroupRequest.offsetCommit(request).refused(with: code, version: asker.version))
  }

  /// The name a topic's offsets are stored under; the code where there is no such topic.
  private func storedName(
    of topic: OffsetCommitRequest.OffsetCommitRequestTopic, _ asker: Asker, _ topics: some TopicLookup
  ) -> Result<String, KafkaError> {
    if asker.version >= 10 {
      return topics.topicName(topic.topicId).map(Result.success) ?? .failure(KafkaError(.unknownTopicId))
    }
    return topics.topicExists(topic.name) ? .success(topic.name) : .failure(KafkaError(.unknownTopicOrPartition))
  }

  /// Why the group does not take the commit; nil where it does (Kafka's ClassicGroup.validateOffsetCommit).
  private func commitRefusal(of request: OffsetCommitRequest, _ asker: Asker) -> ErrorCode? {
    // The empty group id is an old way of keeping offsets, and stays allowed.
    guard Self.isStorable(request.groupId) else { return .invalidGroupId }
    let generation = Generation(request.generationIdOrMemberEpoch)
    guard let group = groups[GroupID(request.groupId)] else {
      // Without a generation the client assigns partitions itself: its first commit founds the group.
      if generation < Generation(0) { return nil }
      return asker.version >= 9 ? .groupIdNotFound : .illegalGeneration
    }
    if generation < Generation(0), group.state == .empty { return nil }
    let memberID = MemberID(request.memberId)
    guard generation >= Generation(0) || !memberID.isUnknown || request.groupInstanceId != nil else {
      return .unknownMemberId
    }
    if let code = refusal(of: memberID, instance: request.groupInstanceId, in: group) { return code }
    guard generation == group.generation else { return .illegalGeneration }
    // The member knows the new generation but not its assignment: what it commits, it no longer owns.
    return group.state == .completingRebalance ? .rebalanceInProgress : nil
  }

  private func commitCode(_ partition: OffsetCommitRequest.OffsetCommitRequestPartition) -> ErrorCode {
    let metadata = partition.committedMetadata ?? ""
    guard metadata.utf16.count <= config.offsetMetadataMaxBytes, Self.isStorable(metadata) else {
      return .offsetMetadataTooLarge
    }
    return .none
  }

  private func committedOffset(
    _ partition: OffsetCommitRequest.OffsetCommitRequestPartition, _ request: OffsetCommitRequest, _ step: Step
  ) -> CommittedOffset {
    var expiry = Timestamp.none
    if request.retentionTimeMs != -1 {
      let (sum, overflow) = step.wallClock.milliseconds.addingReportingOverflow(request.retentionTimeMs)
      expiry = Timestamp(milliseconds: overflow ? .max : sum)
    }
    return CommittedOffset(
      offset: Offset(partition.committedOffset), leaderEpoch: LeaderEpoch(max(-1, partition.committedLeaderEpoch)),
      metadata: partition.committedMetadata ?? "", committedAt: step.wallClock, expiresAt: expiry)
  }

  /// A commit is a sign of life, except while an assignment is awaited.
  private func renewSessionOnCommit(_ request: OffsetCommitRequest, _ step: inout Step) {
    guard let group = groups[GroupID(request.groupId)] else { return }
    guard group.state == .stable || group.state == .preparingRebalance else { return }
    renewSession(of: MemberID(request.memberId), in: group, &step)
  }
}
