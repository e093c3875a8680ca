/// A connection that sends and receives bytes, each wait with an end.
protocol ByteStream: AnyObject {
  /// Sends all of `bytes`.
  func send(_ bytes: UnsafeRawBufferPointer, timeoutMs: Int64) throws(ClientError)
  /// Fills all of `buffer`.
  func receive(into buffer: UnsafeMutableRawBufferPointer, timeoutMs: Int64) throws(ClientError)
}
