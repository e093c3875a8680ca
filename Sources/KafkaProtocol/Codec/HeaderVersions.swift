extension APIKey {
  /// The version of the header in front of a request of `version`: 1, or 2 where it is flexible.
  @inlinable package func requestHeaderVersion(for version: Int16) -> Int16 { version >= flexibleFrom ? 2 : 1 }

  /// The version of the header in front of a response of `version`: 0, or 1 where it is flexible. Always 0 for ApiVersions:
  /// a client that does not know the broker's versions yet must be able to read it (KIP-511).
  @inlinable package func responseHeaderVersion(for version: Int16) -> Int16 {
    self != .apiVersions && version >= flexibleFrom ? 1 : 0
  }
}

extension RequestHeader {
  /// Reads the header of any request: its first four bytes, the API and its version, tell the header's own version. An
  /// unknown API has header version 1, so that its correlation id can be read.
  package static func decode(from reader: inout Reader) -> RequestHeader {
    var ahead = reader
    let key = APIKey(rawValue: ahead.int16())
    let version = ahead.int16()
    return decode(from: &reader, version: key?.requestHeaderVersion(for: version) ?? 1)
  }
}
