import Testing

@testable import KafkaProtocol

@Suite struct APIKeyTests {
  @Test func numbersAndNames() {
    #expect(APIKey.produce.rawValue == 0)
    #expect(APIKey(rawValue: 18) == .apiVersions)
    #expect(APIKey(rawValue: 4) == nil)
    #expect(APIKey.listOffsets.name == "ListOffsets")
    #expect(Set(APIKey.allCases.map(\.rawValue)).count == APIKey.allCases.count)
  }

  @Test func headerVersions() {
    #expect(APIKey.produce.requestHeaderVersion(for: 8) == 1)
    #expect(APIKey.produce.requestHeaderVersion(for: 9) == 2)
    #expect(APIKey.produce.responseHeaderVersion(for: 8) == 0)
    #expect(APIKey.produce.responseHeaderVersion(for: 9) == 1)
    #expect(APIKey.saslHandshake.requestHeaderVersion(for: 1) == 1)
    for version in APIKey.apiVersions.requestVersions {
      #expect(APIKey.apiVersions.responseHeaderVersion(for: version) == 0)
    }
  }

  /// Requests and responses of an API have the same versions.
  @Test func requestAndResponseAgree() {
    let versions = Dictionary(uniqueKeysWithValues: everyMessage.map { ("\($0)", ($0.versions, $0.flexibleFrom)) })
    for key in APIKey.allCases {
      let request = versions[key.name + "Request"]
      let response = versions[key.name + "Response"]
      #expect(request?.0 == response?.0 && request?.1 == response?.1, "\(key)")
      #expect(request?.0 == key.requestVersions, "\(key)")
    }
  }

  /// The header of a request is read without knowing its version first.
  @Test(arguments: [Int16(7), 12])
  func headersOfRequests(_ version: Int16) {
    let header = RequestHeader(requestApiKey: 1, requestApiVersion: version, correlationId: 99, clientId: "größe")
    let bytes = header.encoded(version: APIKey.fetch.requestHeaderVersion(for: version)) + [1, 2, 3]
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      #expect(RequestHeader.decode(from: &reader) == header)
      #expect(reader.remaining == 3)
    }
  }

  @Test func theHeaderOfAnUnknownAPI() {
    let bytes: [UInt8] = [0x7f, 0xff, 0, 9, 0, 0, 0, 4, 0xff, 0xff]
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      let header = RequestHeader.decode(from: &reader)
      #expect(reader.failure == nil)
      #expect(header.correlationId == 4)
      #expect(header.clientId == nil)
    }
  }

  @Test func recordKeys() {
    #expect(OffsetCommitKey.recordKeyVersion == 1)
    #expect(GroupMetadataKey.recordKeyVersion == 2)
    #expect(ConsumerGroupRegularExpressionKey.recordKeyVersion == 16)
    #expect(PartitionRecord.recordType == 4)
  }
}
