internal import OttlaClient

/// Which topics a processor reads, and where a record goes that failed.
struct TopicRoutes {
  enum Destination: Equatable {
    case retryTopic(name: String, number: Int, wait: Duration)
    case deadLetters(topic: String)
    case skip
    case stop
  }

  /// Where a record is being read.
  struct Origin: Equatable {
    /// The topic it was in first.
    let topic: String
    /// The longest it may have to wait; nil outside of retry topics.
    let wait: Duration?
  }

  private let retryTopics: RetryTopics?
  private let whenUsedUp: ErrorHandler.WhenUsedUp
  private let origins: [String: Origin]
  /// What is to be read: the topics themselves, and their retry topics.
  let readTopics: [String]

  /// - Throws: `.illegalState` where a retry topic has the name of a topic that is read for something else.
  init(_ topics: [String], _ handler: ErrorHandler) throws(ClientError) {
    retryTopics = handler.retryTopics
    whenUsedUp = handler.whenUsedUp
    var origins: [String: Origin] = [:]
    var readTopics: [String] = []
    for topic in topics where origins[topic] == nil {
      origins[topic] = Origin(topic: topic, wait: nil)
      readTopics.append(topic)
    }
    if let retryTopics {
      let waits = retryTopics.waits
      for topic in readTopics {
        if topic.hasPrefix("^") {
          throw .illegalState(reason: "retry topics need topics by name, not by the expression '\(topic)'")
        }
        for (name, wait) in zip(retryTopics.names(for: topic), waits) {
          guard origins.updateValue(Origin(topic: topic, wait: wait), forKey: name) == nil else {
            throw .illegalState(reason: "'\(name)' would be the retry topic of \(topic), and is another topic already")
          }
          readTopics.append(name)
        }
      }
    }
    self.origins = origins
    self.readTopics = readTopics
  }

  /// Where a record of `topic` comes from; of a topic that an expression found, from there.
  func origin(of topic: String) -> Origin { origins[topic] ?? Origin(topic: topic, wait: nil) }

  /// Whether records are ever written, to other topics.
  var isWriting: Bool {
    if retryTopics != nil { return true }
    if case .deadLetter = whenUsedUp { return true }
    return false
  }

  /// Topics beside those that are read for themselves: for retries, and for dead letters.
  func topicsBeside(_ topic: String) -> [String] {
    guard origin(of: topic).wait == nil else { return [] }
    var names = retryTopics?.names(for: topic) ?? []
    if case .deadLetter(let letters) = whenUsedUp { names.append(letters.name(topic)) }
    return names
  }

  /// Where a record of `topic` goes that is not tried again in its place.
  func destination(of topic: String, _ history: FailureHistory, _ kind: ErrorKind) -> Destination {
    if kind == .halting { return .stop }
    let origin = origin(of: topic)
    let number = history.retryNumber + 1
    if kind == .retriable, let next = retryTopics?.topic(for: origin.topic, retry: number) {
      return .retryTopic(name: next.name, number: number, wait: next.wait)
    }
    switch whenUsedUp {
    case .deadLetter(let letters): return .deadLetters(topic: letters.name(origin.topic))
    case .skip: return .skip
    case .stop: return .stop
    }
  }

  /// How long a record of `topic` has to wait from now on. A due time that came from elsewhere keeps nobody waiting for longer than the
  /// topic's own time.
  func remainingWait(of topic: String, _ history: FailureHistory, nowMs: Int64) -> Duration {
    guard let most = origin(of: topic).wait, let due = history.dueMs else { return .zero }
    let (milliseconds, overflows) = due.subtractingReportingOverflow(nowMs)
    return overflows ? (due > nowMs ? most : .zero) : min(most, max(.zero, .milliseconds(milliseconds)))
  }
}
