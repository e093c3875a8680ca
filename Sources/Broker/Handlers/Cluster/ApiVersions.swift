internal import KafkaProtocol
internal import Primitives

/// ApiVersions: what this broker serves (KIP-35, KIP-511).
extension Shard {
  func apiVersions(_ request: ApiVersionsRequest, _ context: RequestContext) {
    if context.version >= 3,
      !Self.isValidSoftware(request.clientSoftwareName) || !Self.isValidSoftware(request.clientSoftwareVersion)
    {
      return reply(context.replyTo, .apiVersions(ApiVersionsResponse(errorCode: .invalidRequest)))
    }
    reply(context.replyTo, .apiVersions(Self.served(.none)))
  }

  /// A version this broker does not know is answered in version 0, which everybody can read, with what it does know.
  func answerUnsupportedApiVersions(_ connection: Connection, _ correlationID: Int32) {
    let sequence = connection.nextSequence
    connection.nextSequence &+= 1
    connection.inFlight.append(
      .init(sequence: sequence, correlationID: correlationID, apiKey: .apiVersions, version: 0, early: nil))
    answer(connection, sequence, .apiVersions(Self.served(.unsupportedVersion)), files: [], source: nil)
  }

  private static func served(_ error: ErrorCode) -> ApiVersionsResponse {
    ApiVersionsResponse(
      errorCode: error,
      apiKeys: ServedVersions.advertised.map {
        .init(apiKey: $0.key.rawValue, minVersion: $0.min, maxVersion: $0.max)
      })
  }

  /// What Kafka takes for the name and the version of a client's software.
  private static func isValidSoftware(_ text: String) -> Bool {
    func isLetterOrDigit(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
    guard let first = text.utf8.first, let last = text.utf8.last else { return false }
    return isLetterOrDigit(first) && isLetterOrDigit(last)
      && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }
}
