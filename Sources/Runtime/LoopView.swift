package import Broker

/// What somebody sees who looks into an event loop between two of its turns' messages.
package struct LoopView {
  /// Not to be kept: it belongs to the loop's thread.
  package let shard: Shard
  /// How many messages the loop has taken since it began, looks not counted.
  package let messageCount: UInt64
}
