package import Primitives

/// A partition by its topic's id, which no other topic ever has (Kafka's `TopicIdPartition`).
package struct TopicIDPartition: Hashable, Sendable {
  package let topicID: UUID
  package let partition: Int32
  package init(_ topicID: UUID, _ partition: Int32) {
    self.topicID = topicID
    self.partition = partition
  }
}
