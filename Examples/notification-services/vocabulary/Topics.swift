internal import Launching
internal import OttlaClient
internal import OttlaSQL

/// The topics that the services share, and nothing else of each other.
package enum Topics {
  package static let notification = "notification"
  package static let statistic = "statistic"

  /// How many partitions a topic has, dead letters and retries as many as their topic.
  static func partitionsCount(_ topic: String) -> Int32 { topic.hasPrefix(statistic) ? 1 : 2 }

  private static let topicAlreadyExists: Int32 = 36

  /// Makes those topics that are not there, so that the services may start in any order. While no broker answers it tries again, and says so.
  ///
  /// - Throws: `ClientError` where trying again does not help, and `CancellationError`.
  package static func prepare(_ topics: [String], bootstrap: String) async throws {
    let admin = try AdminClient(AdminConfiguration(bootstrapServers: bootstrap))
    for topic in topics {
      try await trying("topic \(topic)") {
        do throws(ClientError) {
          try await admin.createTopic(topic, partitions: partitionsCount(topic))
          say("topic \(topic) was made, with \(partitionsCount(topic)) partition(s)")
        } catch {
          guard error.code == topicAlreadyExists else { throw error }
        }
      }
    }
    await admin.disconnect()
  }
}

/// Does `body`, and does it again a second later while broker or database fail in a way that passes by itself. A failure is said the first
/// time, and when it is another one.
///
/// - Throws: what does not pass by itself, and `CancellationError`.
package func trying(_ what: String, _ body: () async throws -> Void) async throws {
  var said = ""
  func tell(_ error: any Error) {
    if said != "\(error)" { complain("\(what) has to wait: \(error)") }
    said = "\(error)"
  }
  while true {
    do {
      return try await body()
    } catch let error as ClientError where error.isRetriable {
      tell(error)
    } catch let error as SQLError where error.isRetriable {
      tell(error)
    }
    try await Task.sleep(for: .seconds(1))
  }
}
