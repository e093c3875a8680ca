package import Primitives

/// What the coordinator asks of the cluster image: which topics there are.
package protocol TopicLookup {
  func topicExists(_ name: String) -> Bool
  /// The topic's id; nil for an unknown topic.
  func topicID(_ name: String) -> UUID?
  /// The topic's name; nil for an unknown id.
  func topicName(_ id: UUID) -> String?
}
