package import Primitives

/// Whose copying is throttled: `leader.replication.throttled.replicas` and its counterpart of a topic (KIP-73).
package enum ThrottledReplicas: Sendable, Equatable {
  /// Nobody's, as far as it names none.
  case some([Int32: [BrokerID]])
  /// Everybody's: `*`.
  case all

  package static let none = ThrottledReplicas.some([:])

  /// What a checked list of `partition:broker`, or `*`, says.
  init(_ elements: [String]) {
    guard elements != ["*"] else {
      self = .all
      return
    }
    var brokers: [Int32: [BrokerID]] = [:]
    for element in elements {
      let parts = element.split(separator: ":").compactMap { Int32($0) }
      if parts.count == 2 { brokers[parts[0], default: []].append(BrokerID(parts[1])) }
    }
    self = .some(brokers)
  }

  /// Whether it names nobody.
  package var isEmpty: Bool { self == .none }

  /// Whether the replica of `partition` on `broker` is named.
  package func contains(_ partition: Int32, on broker: BrokerID) -> Bool {
    switch self {
    case .all: true
    case .some(let brokers): brokers[partition]?.contains(broker) ?? false
    }
  }
}
