internal import CLibrdkafka
internal import Primitives

extension ClientError {
  /// What an error code of librdkafka means.
  ///
  /// - Parameters:
  ///   - operation: what was tried, as the beginning of a sentence.
  ///   - reason: librdkafka's own words; its general ones for the code where nil.
  ///   - bootstrapServers: what to name where no broker can be reached.
  init(
    _ code: rd_kafka_resp_err_t, _ operation: String, reason: String? = nil, topic: String? = nil,
    partition: Int32? = nil, bootstrapServers: String = ""
  ) {
    let said = reason ?? Self.sentence(code)
    let name = Self.name(of: code)
    switch code {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      self = .unknownTopic(topic ?? said)
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      if let topic, let partition, partition >= 0 {
        self = .unknownPartition(TopicPartition(topic, partition))
      } else {
        self = .unknownTopic(topic ?? said)
      }
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      self = .messageTooLarge(reason: said)
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__WAIT_COORD:
      self = .timedOut(operation: operation, reason: said)
    case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
      RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
      self = .authenticationFailed(reason: said)
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      self = .authorizationFailed(operation: operation, code: code.rawValue, name: name)
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE:
      self = .brokersUnavailable(bootstrapServers: bootstrapServers, reason: said)
    case RD_KAFKA_RESP_ERR__SSL: self = .tlsFailed(reason: said)
    case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
      self = .fatal(code: code.rawValue, name: name, reason: said)
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      self = .unsupported(reason: said)
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__DESTROY:
      self = .closed
    default:
      if code.rawValue > 0 {
        self = .refused(code: code.rawValue, name: name, reason: said)
      } else {
        self = .library(code: code.rawValue, name: name, reason: said)
      }
    }
  }

  /// What the protocol says of its codes.
  static func isRetriable(protocolCode code: Int32) -> Bool {
    Int16(exactly: code).map { ErrorCode(rawValue: $0).isRetriable } ?? false
  }

  /// What librdkafka says of an error code, as a sentence without the code.
  static func sentence(_ code: rd_kafka_resp_err_t) -> String {
    rd_kafka_err2str(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
  }

  /// Kafka's name of a protocol error, whatever librdkafka calls it; librdkafka's own for its own.
  private static func name(of code: rd_kafka_resp_err_t) -> String {
    if code.rawValue > 0, let known = Int16(exactly: code.rawValue) { return ErrorCode(rawValue: known).name }
    return rd_kafka_err2name(code).map { String(cString: $0) } ?? "ERROR_\(code.rawValue)"
  }
}

/// Takes over an error object of librdkafka, which it destroys; nil where there was none.
func takeError(_ error: OpaquePointer?, _ operation: String) -> ClientError? {
  guard let error else { return nil }
  defer { rd_kafka_error_destroy(error) }
  let reason = rd_kafka_error_string(error).map { String(cString: $0) }
  return ClientError(rd_kafka_error_code(error), operation, reason: reason)
}
