/// What a client could not do.
///
/// Every case carries what is needed to act on it; `description` is one sentence for people, with what to do. `code` and
/// `name` are those of Kafka's protocol, or librdkafka's own below zero (`_TIMED_OUT`).
///
/// ```swift
/// do {
///   try await admin.createTopic("orders", partitions: 6)
/// } catch .refused(let code, _, _) where code == 36 {
///   print("it is there already")  // TOPIC_ALREADY_EXISTS
/// }
/// ```
///
/// Many programs need to know no more than whether time mends it. This one waits for brokers that are not up yet, and
/// for a topic that another program makes:
///
/// ```swift
/// while true {
///   do {
///     print(try await admin.describeTopic("orders").partitions.count)
///     break
///   } catch where error.isRetriable {
///     print("\(error.name): \(error)")
///     try await Task.sleep(for: .seconds(1))
///   }
/// }
/// ```
///
/// Where a client reports by itself, `isFatal` says whether to make another:
///
/// ```swift
/// configuration.onError = { error in
///   let code = error.code.map(String.init) ?? "none"
///   print(error.isFatal ? "needs a new client" : "goes on", "error \(code)", error)
/// }
/// ```
///
/// What each case asks for:
///
/// ```swift
/// func advice(after error: ClientError) -> String {
///   switch error {
///   case .unknownProperty(let name): "delete \(name) from the settings"
///   case .invalidValue(let property, _, let reason): "correct \(property) in the settings: \(reason)"
///   case .brokersUnavailable(let servers, _): "start a broker at \(servers), or name another"
///   case .connectionLost, .timedOut: "try again, the client connects anew by itself"
///   case .tlsFailed(let reason): "look at the certificates: \(reason)"
///   case .authenticationFailed(let reason): "look at mechanism, username and password: \(reason)"
///   case .authorizationFailed(let operation, _, let name): "add an ACL for \(operation) (\(name))"
///   case .unknownTopic(let topic): "create the topic \(topic)"
///   case .unknownPartition(let partition): "give \(partition.topic) more partitions, or name another"
///   case .messageTooLarge: "send less, or raise the limits of client and topic"
///   case .refused(let code, let name, let reason): "look up error \(code) of the protocol, \(name): \(reason)"
///   case .unsupported(let reason): "use another version of the broker: \(reason)"
///   case .fatal(_, let name, _): "make a new client, this one has ended with \(name)"
///   case .partitionLost(let partition): "leave the record to the member that has \(partition) now"
///   case .closed, .cancelled: "end, for somebody has asked for it"
///   case .illegalState(let reason): "correct the program: \(reason)"
///   case .library(_, let name, _): "look up \(name) in librdkafka's manual"
///   }
/// }
/// ```
public enum ClientError: Error, Hashable, Sendable {
  /// The configuration names a property that librdkafka does not know.
  case unknownProperty(name: String)
  /// librdkafka does not take this value, or this property is not for the caller to set.
  case invalidValue(property: String, value: String, reason: String)
  /// None of `bootstrapServers` could be reached; `reason` is that of the last try.
  case brokersUnavailable(bootstrapServers: String, reason: String)
  /// A connection that stood was lost.
  case connectionLost(broker: String, reason: String)
  /// A TLS connection could not be made: certificate, host name, protocol version.
  case tlsFailed(reason: String)
  /// The broker does not take the credentials, or not this mechanism.
  case authenticationFailed(reason: String)
  /// The principal may not do this; `code` says on what (topic, group, cluster, transactional id).
  case authorizationFailed(operation: String, code: Int32, name: String)
  /// No such topic.
  case unknownTopic(String)
  /// The topic has no such partition.
  case unknownPartition(TopicPartition)
  /// A record, or a batch, beyond `message.max.bytes` of the client or the broker, or `max.message.bytes` of the topic.
  case messageTooLarge(reason: String)
  /// Nothing came in time.
  case timedOut(operation: String, reason: String)
  /// The broker answered with an error of the protocol.
  case refused(code: Int32, name: String, reason: String)
  /// The broker speaks no version of a request that this client knows, or what it says cannot be read.
  case unsupported(reason: String)
  /// This client can do nothing more: another one has taken its place, or what it promised cannot be kept.
  case fatal(code: Int32, name: String, reason: String)
  /// The partition is no longer this member's: who has it now reads the record again.
  case partitionLost(TopicPartition)
  /// The client has been closed.
  case closed
  /// The task was cancelled while it waited.
  case cancelled
  /// The call does not fit the client's configuration or state.
  case illegalState(reason: String)
  /// librdkafka gave up; `name` is its own (`_STATE`).
  case library(code: Int32, name: String, reason: String)
}

extension ClientError {
  /// Kafka's error code, or librdkafka's below zero; nil where there is none.
  public var code: Int32? {
    switch self {
    case .authorizationFailed(_, let code, _), .refused(let code, _, _), .fatal(let code, _, _),
      .library(let code, _, _):
      code
    case .unknownTopic, .unknownPartition: 3
    case .messageTooLarge: 10
    case .timedOut: 7
    case .authenticationFailed: 58
    case .unsupported: 35
    case .unknownProperty, .invalidValue, .brokersUnavailable, .connectionLost, .tlsFailed, .partitionLost, .closed,
      .cancelled, .illegalState:
      nil
    }
  }

  /// The name of the error as Kafka writes it, such as `UNKNOWN_TOPIC_OR_PARTITION`; else that of the case.
  public var name: String {
    switch self {
    case .authorizationFailed(_, _, let name), .refused(_, let name, _), .fatal(_, let name, _),
      .library(_, let name, _):
      name
    case .unknownTopic, .unknownPartition: "UNKNOWN_TOPIC_OR_PARTITION"
    case .messageTooLarge: "MESSAGE_TOO_LARGE"
    case .timedOut: "REQUEST_TIMED_OUT"
    case .authenticationFailed: "SASL_AUTHENTICATION_FAILED"
    case .unsupported: "UNSUPPORTED_VERSION"
    case .unknownProperty: "UNKNOWN_PROPERTY"
    case .invalidValue: "INVALID_VALUE"
    case .brokersUnavailable: "BROKERS_UNAVAILABLE"
    case .connectionLost: "CONNECTION_LOST"
    case .tlsFailed: "TLS_FAILED"
    case .partitionLost: "PARTITION_LOST"
    case .closed: "CLOSED"
    case .cancelled: "CANCELLED"
    case .illegalState: "ILLEGAL_STATE"
    }
  }

  /// Whether the same call may succeed later, with nothing changed but time (Kafka's `RetriableException`).
  public var isRetriable: Bool {
    switch self {
    case .brokersUnavailable, .connectionLost, .timedOut: true
    case .refused(let code, _, _): Self.isRetriable(protocolCode: code)
    // Topics come into being, and a broker may not have heard of one yet.
    case .unknownTopic, .unknownPartition: true
    case .unknownProperty, .invalidValue, .tlsFailed, .authenticationFailed, .authorizationFailed, .messageTooLarge,
      .unsupported, .fatal, .partitionLost, .closed, .cancelled, .illegalState, .library:
      false
    }
  }

  /// Whether this client, with this configuration, will come no further: make another.
  public var isFatal: Bool {
    switch self {
    case .fatal, .closed, .unknownProperty, .invalidValue, .authenticationFailed, .tlsFailed: true
    case .brokersUnavailable, .connectionLost, .authorizationFailed, .unknownTopic, .unknownPartition,
      .messageTooLarge, .timedOut, .refused, .unsupported, .partitionLost, .cancelled, .illegalState, .library:
      false
    }
  }
}

extension ClientError: CustomStringConvertible {
  /// One sentence: what failed, why, and what to do where that is known.
  public var description: String {
    switch self {
    case .unknownProperty(let name):
      "there is no property '\(name)'; librdkafka's CONFIGURATION.md lists them all"
    case .invalidValue(let property, let value, let reason): "'\(value)' is no value for \(property): \(reason)"
    case .brokersUnavailable(let servers, let reason):
      "no broker answers at \(servers) (\(reason)); is one running there, and does bootstrapServers name it?"
    case .connectionLost(let broker, let reason): "the connection to the broker at \(broker) was lost: \(reason)"
    case .tlsFailed(let reason): "no TLS connection could be made: \(reason)"
    case .authenticationFailed(let reason):
      "the broker does not accept the credentials: \(reason); check mechanism, username and password"
    case .authorizationFailed(let operation, _, let name): "\(operation) is not allowed (\(name)); an ACL is missing"
    case .unknownTopic(let topic): "there is no topic '\(topic)'; create it first"
    case .unknownPartition(let partition): "there is no partition \(partition)"
    case .messageTooLarge(let reason): "\(reason); raise messageMaxBytes here, and max.message.bytes of the topic"
    case .timedOut(let operation, let reason): "\(operation) did not end in time: \(reason)"
    case .refused(_, let name, let reason): "\(reason) (\(name))"
    case .unsupported(let reason): reason
    case .fatal(_, let name, let reason): "\(reason) (\(name)); this client can do nothing more, make a new one"
    case .partitionLost(let partition):
      "partition \(partition) has gone to another member, which reads again what was not committed"
    case .closed: "the client has been closed"
    case .cancelled: "the task was cancelled"
    case .illegalState(let reason): reason
    case .library(_, let name, let reason): "\(reason) (\(name))"
    }
  }
}
