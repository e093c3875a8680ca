internal import CLibrdkafka
internal import Synchronization

/// What librdkafka has complained of, and whether it has ever reached a broker.
final class ClientHealth: Sendable {
  private struct State {
    var lastReason = ""
    var authentication: ClientError?
    var fatal: ClientError?
  }
  private let state = Mutex(State())
  private let onError: (@Sendable (ClientError) -> Void)?
  let bootstrapServers: String

  init(bootstrapServers: String, onError: (@Sendable (ClientError) -> Void)?) {
    self.bootstrapServers = bootstrapServers
    self.onError = onError
  }

  /// The last complaint in librdkafka's words; what to tell when nothing works.
  var lastReason: String { state.withLock { $0.lastReason } }
  var lastReasonOrSilence: String {
    let reason = lastReason
    return reason.isEmpty ? "nothing was heard from a broker" : reason
  }
  /// What ends this client: another has taken its place, or a promise cannot be kept.
  var fatal: ClientError? { state.withLock { $0.fatal } }

  /// The error by which a broker refused the credentials or the certificate, while it stands.
  var refusal: ClientError? { state.withLock { $0.authentication } }
  var isRefused: Bool { refusal != nil }

  /// The same, told once: librdkafka goes on trying.
  func takeAuthenticationFailure() -> ClientError? {
    state.withLock { state in
      defer { state.authentication = nil }
      return state.authentication
    }
  }

  /// Takes note of what librdkafka's error callback says.
  func note(_ code: rd_kafka_resp_err_t, _ reason: String, client: OpaquePointer?) {
    var error = ClientError(code, "connecting", reason: reason, bootstrapServers: bootstrapServers)
    if code == RD_KAFKA_RESP_ERR__FATAL {
      var why = [CChar](repeating: 0, count: 512)
      let cause = rd_kafka_fatal_error(client, &why, why.count)
      let text = String(decoding: why.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let named = ClientError(cause, "going on", reason: text)
      error = .fatal(code: cause.rawValue, name: named.name, reason: text)
    }
    state.withLock { state in
      if code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || state.lastReason.isEmpty { state.lastReason = reason }
      if code == RD_KAFKA_RESP_ERR__FATAL { state.fatal = error }
      switch error {
      case .authenticationFailed, .tlsFailed: state.authentication = error
      default: break
      }
    }
    onError?(error)
  }
}
