package import KafkaProtocol
internal import Primitives

/// One connection to one broker that asks and waits: for administration, where a question at a time is enough.
///
/// The versions of each request are negotiated with ApiVersions (KIP-35) when the connection is made; then follows the login, where
/// there is one.
package final class AdminConnection {
  package let address: BrokerAddress
  private let stream: any ByteStream
  private let clientID: String
  private let timeoutMs: Int64
  private var correlationID: Int32 = 0
  /// What the broker offers, by API key.
  private var offered: [Int16: ClosedRange<Int16>] = [:]
  private let login: SASLLogin?
  /// Since when the login stands, and after how many milliseconds it is to be renewed; nil where it stands for ever.
  private var renewal: (since: Stopwatch, afterMs: Int64)?

  /// The largest answer taken, in bytes: an administrator's answers are small, a broker gone mad is not believed.
  package static let answerBytesMax = 256 << 20

  /// Connects, negotiates and logs in.
  ///
  /// - Parameter timeoutMs: how long the connection, and then each answer, may take.
  package convenience init(
    to address: BrokerAddress, clientID: String = "ottla", timeoutMs: Int64 = 10_000
  ) throws(ClientError) {
    try self.init(to: address, by: AdminDialling(clientID: clientID, timeoutMs: timeoutMs))
  }

  init(to address: BrokerAddress, by dialling: AdminDialling) throws(ClientError) {
    self.address = address
    clientID = dialling.clientID
    timeoutMs = dialling.timeoutMs
    login = dialling.login
    stream = try dialling.connect(to: address)
    try negotiate()
    if let login { try logInAnew(login) }
  }

  /// The first of `addresses` that answers.
  package static func first(
    of addresses: [BrokerAddress], clientID: String = "ottla", timeoutMs: Int64 = 10_000
  ) throws(ClientError) -> AdminConnection {
    try first(of: addresses, by: AdminDialling(clientID: clientID, timeoutMs: timeoutMs))
  }

  static func first(
    of addresses: [BrokerAddress], by dialling: AdminDialling
  ) throws(ClientError) -> AdminConnection {
    var reason = "no address was given"
    for address in addresses {
      do throws(ClientError) {
        return try AdminConnection(to: address, by: dialling)
      } catch {
        switch error {
        case .unreachable(_, let why), .connectionLost(_, let why): reason = why
        default: throw error
        }
      }
    }
    throw .unreachable(addresses: addresses, reason: reason)
  }

  /// Whether the broker serves `key` in a version that we speak too.
  package func offers(_ key: APIKey) -> Bool {
    guard let range = offered[key.rawValue] else { return false }
    return range.overlaps(key.requestVersions)
  }

  /// Asks and waits for the answer, in the highest version that both sides know.
  ///
  /// - Parameter versionMax: the newest version that the caller has filled `request` for.
  package func ask<Question: Message, Answer: Message>(
    _ key: APIKey, _ request: Question, versionMax: Int16 = .max, as answer: Answer.Type
  ) throws(ClientError) -> Answer {
    if let login, let renewal, renewal.since.milliseconds >= renewal.afterMs {
      self.renewal = nil
      try logInAnew(login)
    }
    let ours = key.requestVersions
    guard let theirs = offered[key.rawValue] else {
      throw .incompatible("the broker at \(address) does not offer \(key.name)")
    }
    let version = min(ours.upperBound, theirs.upperBound, versionMax)
    guard version >= max(ours.lowerBound, theirs.lowerBound) else {
      throw .incompatible(
        "the broker at \(address) offers \(key.name) in versions \(theirs.lowerBound) to \(theirs.upperBound), "
          + "none of which this program speaks")
    }
    let frame = try exchange(key, request, version)
    return try decode(answer, frame, key, version)
  }

  /// Logs in, for the first time or because the broker takes no login for good for ever (KIP-368).
  private func logInAnew(_ login: SASLLogin) throws(ClientError) {
    let watch = Stopwatch()
    let lifetimeMs = try logIn(login)
    // Well before its end: the broker closes connections whose login is over.
    renewal = lifetimeMs > 0 ? (watch, lifetimeMs / 10 * 8) : nil
  }

  private func negotiate() throws(ClientError) {
    let question = ApiVersionsRequest(clientSoftwareName: "ottla", clientSoftwareVersion: "0.1.0")
    var version: Int16 = 3
    var frame = try exchange(.apiVersions, question, version)
    // A broker that does not know the version answers in version 0 with this error; it stands first in all versions.
    if Self.errorCode(of: frame) == .unsupportedVersion {
      version = 0
      frame = try exchange(.apiVersions, question, version)
    }
    let answer = try decode(ApiVersionsResponse.self, frame, .apiVersions, version)
    guard answer.errorCode == .none else {
      throw .refused(operation: "asking for the broker's versions", KafkaError(answer.errorCode))
    }
    for entry in answer.apiKeys where entry.minVersion <= entry.maxVersion {
      offered[entry.apiKey] = entry.minVersion...entry.maxVersion
    }
  }

  /// The error code behind the header of an ApiVersions answer.
  private static func errorCode(of frame: [UInt8]) -> ErrorCode? {
    guard frame.count >= 6 else { return nil }
    return ErrorCode(rawValue: Int16(truncatingIfNeeded: Int(frame[4]) << 8 | Int(frame[5])))
  }

  /// Sends one request and reads the frame of its answer, header included.
  private func exchange<Question: Message>(
    _ key: APIKey, _ request: Question, _ version: Int16
  ) throws(ClientError) -> [UInt8] {
    correlationID &+= 1
    let buffer = OutputBuffer()
    buffer.append([0, 0, 0, 0])
    var writer = Writer(buffer)
    let header = RequestHeader(
      requestApiKey: key.rawValue, requestApiVersion: version, correlationId: correlationID, clientId: clientID)
    header.encode(into: &writer, version: key.requestHeaderVersion(for: version))
    request.encode(into: &writer, version: version)
    buffer.base.storeBigEndian(Int32(clamping: buffer.count - 4), at: buffer.start)
    try stream.send(buffer.bytes, timeoutMs: timeoutMs)

    var sizeBytes: [UInt8] = [0, 0, 0, 0]
    try receive(into: &sizeBytes)
    let size = sizeBytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self).bigEndian }
    guard size >= 4, size <= Self.answerBytesMax else {
      throw .incompatible("what answers at \(address) does not speak Kafka's protocol")
    }
    var frame = [UInt8](repeating: 0, count: Int(size))
    try receive(into: &frame)
    let answered = frame.withUnsafeBytes { $0.loadUnaligned(as: Int32.self).bigEndian }
    guard answered == correlationID else {
      throw .incompatible("the broker at \(address) answered request \(answered) instead of \(correlationID)")
    }
    return frame
  }

  private func receive(into bytes: inout [UInt8]) throws(ClientError) {
    var failure: ClientError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(ClientError) { try stream.receive(into: buffer, timeoutMs: timeoutMs) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func decode<Answer: Message>(
    _ type: Answer.Type, _ frame: [UInt8], _ key: APIKey, _ version: Int16
  ) throws(ClientError) -> Answer {
    let answer: Answer? = frame.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      _ = ResponseHeader.decode(from: &reader, version: key.responseHeaderVersion(for: version))
      let answer = Answer.decode(from: &reader, version: version)
      return reader.failure == nil ? answer : nil
    }
    guard let answer else {
      throw .incompatible("the answer of the broker at \(address) to \(key.name) version \(version) cannot be read")
    }
    return answer
  }
}
