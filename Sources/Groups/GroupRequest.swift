package import KafkaProtocol
package import Primitives

/// A request that the groups of one `__consumer_offsets` partition answer.
///
/// Of a request that names many groups (DescribeGroups, DeleteGroups, OffsetFetch v8+) each coordinator gets its own;
/// ListGroups goes to every coordinator.
package enum GroupRequest: Sendable {
  case joinGroup(JoinGroupRequest)
  case syncGroup(SyncGroupRequest)
  case heartbeat(HeartbeatRequest)
  case leaveGroup(LeaveGroupRequest)
  case offsetCommit(OffsetCommitRequest)
  case offsetFetch(OffsetFetchRequest)
  case offsetDelete(OffsetDeleteRequest)
  case describeGroups(DescribeGroupsRequest)
  case listGroups(ListGroupsRequest)
  case deleteGroups(DeleteGroupsRequest)
}

extension GroupRequest {
  /// The answer when the whole request fails with `code`, each error where that version of the response has its place.
  ///
  /// For the coordinator's own refusals, and for the broker's: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS. An
  /// OffsetFetch is never answered empty: before version 2 its only error codes are the partitions'.
  package func refused(with code: ErrorCode, version: Int16) -> Response {
    switch self {
    case .joinGroup(let request):
      .joinGroup(JoinGroupResponse(errorCode: code, memberId: request.memberId))
    case .syncGroup:
      .syncGroup(SyncGroupResponse(errorCode: code))
    case .heartbeat:
      .heartbeat(HeartbeatResponse(errorCode: code))
    case .leaveGroup:
      .leaveGroup(LeaveGroupResponse(errorCode: code))
    case .offsetCommit(let request):
      .offsetCommit(request.response { _, _ in code })
    case .offsetFetch(let request):
      .offsetFetch(request.refused(with: code, version: version))
    case .offsetDelete:
      .offsetDelete(OffsetDeleteResponse(errorCode: code))
    case .describeGroups(let request):
      .describeGroups(
        DescribeGroupsResponse(
          groups: request.groups.map { DescribeGroupsResponse.DescribedGroup(errorCode: code, groupId: $0) }))
    case .listGroups:
      .listGroups(ListGroupsResponse(errorCode: code))
    case .deleteGroups(let request):
      .deleteGroups(
        DeleteGroupsResponse(
          results: request.groupsNames.map {
            DeleteGroupsResponse.DeletableGroupResult(groupId: $0, errorCode: code)
          }))
    }
  }

  /// What is sent when the log did not take the records of the answer: whether it will is not known, so the client is
  /// to find its coordinator again and ask again.
  func failed(version: Int16) -> Response { refused(with: .coordinatorNotAvailable, version: version) }
}

extension OffsetCommitRequest {
  /// The response with the code that `code` gives for each partition.
  func response(
    code: (OffsetCommitRequestTopic, OffsetCommitRequestPartition) -> ErrorCode
  ) -> OffsetCommitResponse {
    OffsetCommitResponse(
      topics: topics.map { topic in
        OffsetCommitResponse.OffsetCommitResponseTopic(
          name: topic.name, topicId: topic.topicId,
          partitions: topic.partitions.map { partition in
            OffsetCommitResponse.OffsetCommitResponsePartition(
              partitionIndex: partition.partitionIndex, errorCode: code(topic, partition))
          })
      })
  }
}

extension OffsetFetchRequest {
  func refused(with code: ErrorCode, version: Int16) -> OffsetFetchResponse {
    if version >= 8 {
      return OffsetFetchResponse(
        groups: groups.map { OffsetFetchResponse.OffsetFetchResponseGroup(groupId: $0.groupId, errorCode: code) })
    }
    guard version < 2 else { return OffsetFetchResponse(errorCode: code) }
    return OffsetFetchResponse(
      topics: (topics ?? []).map { topic in
        OffsetFetchResponse.OffsetFetchResponseTopic(
          name: topic.name,
          partitions: topic.partitionIndexes.map {
            OffsetFetchResponse.OffsetFetchResponsePartition(
              partitionIndex: $0, committedOffset: -1, metadata: "", errorCode: code)
          })
      }, errorCode: code)
  }
}
