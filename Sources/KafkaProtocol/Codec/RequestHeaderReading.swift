/// The header of a request, its client id left where it is: nearly every request of a connection repeats the same one.
package struct RequestHeaderView {
  package let correlationID: Int32
  /// The UTF-8 bytes of the client id; nil for null.
  package let clientID: UnsafeRawBufferPointer?
}

extension Reader {
  /// Reads past the header of a request of `apiKey` and `version`; the bytes are good as long as the Reader's memory.
  package mutating func requestHeader(_ apiKey: APIKey, version: Int16) -> RequestHeaderView {
    _ = int32()
    let correlationID = int32()
    let length = Int(int16())
    var clientID: UnsafeRawBufferPointer?
    if length >= 0 {
      if length > remaining {
        fail(.truncated)
      } else {
        clientID = UnsafeRawBufferPointer(start: base + position, count: length)
        position &+= length
      }
    }
    if apiKey.requestHeaderVersion(for: version) == 2 { skipTaggedFields() }
    return RequestHeaderView(correlationID: correlationID, clientID: clientID)
  }
}
