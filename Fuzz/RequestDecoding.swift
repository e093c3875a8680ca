import KafkaProtocol
import Primitives

/// One input of libFuzzer: a frame as a client sends it, header and body, without the length in front.
///
/// Decoding must end without a trap and within the memory its budget allows (`-malloc_limit_mb` watches that). What is
/// accepted must encode, and decode again to the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequestDecoding(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
  let frame = UnsafeRawBufferPointer(start: data, count: byteCount)
  var reader = Reader(frame)
  let header = RequestHeader.decode(from: &reader)
  if reader.failure != nil { return 0 }

  // Keys and versions that do not exist would be turned away before the body: they stand for others here.
  let key = APIKey(rawValue: header.requestApiKey) ?? other(header.requestApiKey)
  let versions = key.requestVersions
  var version = header.requestApiVersion
  if !versions.contains(version) {
    version = versions.lowerBound + Int16(version.magnitude % UInt16(versions.count))
  }

  let request = Request.decode(key, version: version, from: &reader)
  if reader.failure == nil { checkAgain(request, key, version, frame) }
  return 0
}

private func other(_ key: Int16) -> APIKey {
  APIKey.allCases[Int(key.magnitude) % APIKey.allCases.count]
}

/// Encodes the request, decodes that, and encodes it once more: both encodings must be the same.
private func checkAgain(_ request: Request, _ key: APIKey, _ version: Int16, _ frame: UnsafeRawBufferPointer) {
  let first = OutputBuffer()
  var writer = Writer(first)
  writer.source = frame
  request.encode(into: &writer, version: version)

  var reader = Reader(first.bytes)
  let again = Request.decode(key, version: version, from: &reader)
  precondition(reader.failure == nil, "\(key) version \(version) does not decode what it encoded")

  let second = OutputBuffer()
  var otherWriter = Writer(second)
  otherWriter.source = first.bytes
  again.encode(into: &otherWriter, version: version)
  precondition(first.bytes.elementsEqual(second.bytes), "\(key) version \(version) encodes to different bytes")
}
