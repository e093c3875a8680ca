internal import KafkaProtocol

/// The topics in what a consumer tells its group's leader.
enum SubscribedTopics {
  /// The topics of a subscription; nil where it is none. Version 0 is the beginning of every later version.
  static func parse(_ metadata: [UInt8]) -> [String]? {
    guard metadata.count >= 2, metadata[0] < 0x80 else { return nil }
    do throws(DecodeError) {
      return try ConsumerProtocolSubscription.decode(Array(metadata[2...]), version: 0).topics
    } catch {
      return nil
    }
  }
}
