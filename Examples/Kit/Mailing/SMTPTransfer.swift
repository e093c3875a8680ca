internal import CCurl

/// libcurl's SMTP. Its calls block.
final class SMTPTransfer {
  /// Once in a process; the library says itself when that failed.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  private let handle: UnsafeMutableRawPointer?

  init() { handle = Self.isReady ? curl_easy_init() : nil }

  deinit { if let handle { curl_easy_cleanup(handle) } }

  func send(_ text: [UInt8], from: String, to: String, _ settings: MailerSettings) throws(MailError) {
    guard let handle else { throw MailError(.retriable, "libcurl could not be started: no memory") }
    // Forgets the options of the mail before; connections stay.
    curl_easy_reset(handle)
    let recipients = curl_slist_append(nil, "<\(to)>")
    defer { curl_slist_free_all(recipients) }
    var codes = [
      ottla_curl_set_text(handle, CURLOPT_URL, Self.url(settings)),
      ottla_curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(from)>"),
      ottla_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients),
      // Without it the library uses signals for its time limits.
      ottla_curl_set_number(handle, CURLOPT_NOSIGNAL, 1),
      ottla_curl_set_number(handle, CURLOPT_TIMEOUT, settings.secondsMax),
      ottla_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, min(settings.secondsMax, 10)),
      ottla_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
    ]
    if settings.security == .startTLS {
      codes.append(ottla_curl_set_number(handle, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)))
    }
    if let file = settings.caFile { codes.append(ottla_curl_set_text(handle, CURLOPT_CAINFO, file)) }
    if let user = settings.user {
      codes.append(ottla_curl_set_text(handle, CURLOPT_USERNAME, user))
      codes.append(ottla_curl_set_text(handle, CURLOPT_PASSWORD, settings.password ?? ""))
    }
    guard codes.allSatisfy({ $0 == CURLE_OK }) else {
      throw MailError(.fatal, "libcurl refuses the settings of the mailer", advice: "was it built without SMTP or TLS?")
    }
    try perform(handle, text)
  }

  private static func url(_ settings: MailerSettings) -> String {
    let scheme =
      switch settings.security {
      case .none, .startTLS: "smtp"
      case .tls: "smtps"
      }
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    return "\(scheme)://\(host):\(settings.port)"
  }

  private func perform(_ handle: UnsafeMutableRawPointer, _ text: [UInt8]) throws(MailError) {
    var sentence = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
    let (code, isAllSent) = text.withUnsafeBytes { bytes in
      sentence.withUnsafeMutableBufferPointer { sentence in
        withUnsafeTemporaryAllocation(of: ottla_curl_upload.self, capacity: 1) { upload in
          upload[0] = ottla_curl_upload(
            bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count: bytes.count, sent: 0)
          _ = ottla_curl_set_upload(handle, upload.baseAddress)
          _ = ottla_curl_set_error_buffer(handle, sentence.baseAddress)
          let code = curl_easy_perform(handle)
          _ = ottla_curl_set_error_buffer(handle, nil)
          return (code, upload[0].sent == bytes.count)
        }
      }
    }
    guard code != CURLE_OK else { return }
    let written = sentence.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let message = written.isEmpty ? String(cString: curl_easy_strerror(code)) : String(decoding: written, as: UTF8.self)
    throw SMTPErrors.error(
      code, answer: ottla_curl_response_code(handle), message: message, isAllSent: isAllSent)
  }
}

/// What the library's codes and the server's answers mean.
enum SMTPErrors {
  /// A login is wanted, refused, too weak, or wants encryption (RFC 4954).
  private static let loginAnswers: Set<Int> = [530, 534, 535, 538]

  /// - Parameter answer: the last one of the server; 0 for none.
  static func error(_ code: CURLcode, answer: Int, message: String, isAllSent: Bool) -> MailError {
    // The server's own word comes first: 4xx is "not now", 5xx is "no".
    if (400..<500).contains(answer) { return MailError(.retriable, message, code: answer) }
    if (500..<600).contains(answer) {
      let isLogin = code == CURLE_LOGIN_DENIED || loginAnswers.contains(answer)
      return MailError(
        .fatal, message, code: answer, advice: isLogin ? "check user and password" : "", concernsSettings: isLogin)
    }
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT:
      return MailError(.retriable, message, advice: "is the mail server running, and host and port right?")
    case CURLE_LOGIN_DENIED:
      return ofSettings(message, "check user and password, and which ways to log in the server offers")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
      return ofSettings(message, "the server's certificate is not trusted: set caFile to one that signed it")
    case CURLE_USE_SSL_FAILED: return ofSettings(message, "the server offers no STARTTLS")
    case CURLE_OPERATION_TIMEDOUT, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SSL_CONNECT_ERROR,
      CURLE_OUT_OF_MEMORY, CURLE_WEIRD_SERVER_REPLY, CURLE_PARTIAL_FILE:
      return MailError(.retriable, message, mayHaveArrived: isAllSent)
    default: return MailError(.fatal, message)
    }
  }
  private static func ofSettings(_ message: String, _ advice: String) -> MailError {
    MailError(.fatal, message, advice: advice, concernsSettings: true)
  }
}
