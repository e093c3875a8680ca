internal import KafkaProtocol

/// Which versions of which APIs this broker keeps: what ApiVersions answers and what dispatch lets in.
enum ServedVersions {
  /// nil for an API that is not served, and so not advertised.
  static func range(_ key: APIKey) -> ClosedRange<Int16>? {
    switch key {
    case .produce: 3...12
    case .fetch: 4...17
    case .listOffsets: 1...10
    case .metadata: 0...13
    case .offsetCommit: 2...9
    case .offsetFetch: 1...9
    case .findCoordinator: 0...6
    case .joinGroup: 0...9
    case .heartbeat: 0...4
    case .leaveGroup: 0...5
    case .syncGroup: 0...5
    case .describeGroups: 0...6
    case .listGroups: 0...5
    case .apiVersions: 0...4
    case .createTopics: 2...7
    case .deleteTopics: 1...6
    case .deleteRecords: 0...2
    case .initProducerId: 0...5
    case .offsetForLeaderEpoch: 2...4
    case .describeConfigs: 1...4
    case .alterConfigs: 0...2
    case .describeLogDirs: 1...4
    case .createPartitions: 0...3
    case .deleteGroups: 0...2
    case .incrementalAlterConfigs: 0...1
    case .offsetDelete: 0...0
    case .describeCluster: 0...2
    case .envelope: 0...0
    case .listConfigResources: 0...0
    case .electLeaders: 0...2
    case .alterPartitionReassignments: 0...1
    case .listPartitionReassignments: 0...0
    case .unregisterBroker: 0...0
    case .describeTopicPartitions: 0...0
    default: nil
    }
  }

  /// Whether only brokers use an API: it is not told to clients.
  static func isAmongBrokers(_ key: APIKey) -> Bool { key == .envelope }

  /// What is told to clients. Produce is told from 0 although 3 is the lowest kept: librdkafka before 2.11 takes a higher
  /// floor for "no compression" (KAFKA-18659).
  static let advertised: [(key: APIKey, min: Int16, max: Int16)] = APIKey.allCases
    .sorted { $0.rawValue < $1.rawValue }
    .filter { !isAmongBrokers($0) }
    .compactMap { key in
      range(key).map { (key, key == .produce ? 0 : $0.lowerBound, $0.upperBound) }
    }
}
