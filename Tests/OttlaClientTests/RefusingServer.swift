import Client
import Glibc
import KafkaProtocol
import Primitives

/// Speaks as much of the protocol as it takes to refuse a login: ApiVersions, SaslHandshake, SaslAuthenticate.
final class RefusingServer: Sendable {
  private let descriptor: Int32
  let address: String

  struct NoSocket: Error {}

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    guard isBound else { throw NoSocket() }
    descriptor = listener
    address = "127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
    Thread.start {
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        Thread.start { Self.serve(connection) }
      }
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private static func serve(_ connection: Int32) {
    defer { close(connection) }
    while let frame = read(connection), frame.count >= 8 {
      let key = Int16(truncatingIfNeeded: Int(frame[0]) << 8 | Int(frame[1]))
      let version = Int16(truncatingIfNeeded: Int(frame[2]) << 8 | Int(frame[3]))
      guard let api = APIKey(rawValue: key) else { return }
      let buffer = OutputBuffer()
      buffer.append([0, 0, 0, 0])
      buffer.append(Array(frame[4..<8]))
      var writer = Writer(buffer)
      answer(api, version, &writer)
      buffer.base.storeBigEndian(Int32(clamping: buffer.count - 4), at: buffer.start)
      _ = send(connection, buffer.bytes.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
    }
  }

  private static func answer(_ api: APIKey, _ version: Int16, _ writer: inout Writer) {
    switch api {
    case .apiVersions:
      let offered: [(APIKey, ClosedRange<Int16>)] = [
        (.produce, 3...7), (.fetch, 4...10), (.metadata, 0...8), (.findCoordinator, 0...2), (.joinGroup, 0...5),
        (.saslHandshake, 0...1), (.apiVersions, 0...3), (.saslAuthenticate, 0...1),
      ]
      ApiVersionsResponse(
        apiKeys: offered.map { .init(apiKey: $0.0.rawValue, minVersion: $0.1.lowerBound, maxVersion: $0.1.upperBound) }
      ).encode(into: &writer, version: min(version, 3))
    case .saslHandshake:
      SaslHandshakeResponse(mechanisms: ["PLAIN"]).encode(into: &writer, version: version)
    default:
      SaslAuthenticateResponse(errorCode: .saslAuthenticationFailed, errorMessage: "no such user", authBytes: [])
        .encode(into: &writer, version: version)
    }
  }

  private static func read(_ connection: Int32) -> [UInt8]? {
    guard let size = read(connection, 4) else { return nil }
    let count = size.reduce(0) { $0 << 8 | Int($1) }
    return count > 1 << 20 ? nil : read(connection, count)
  }

  private static func read(_ connection: Int32, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var position = 0
    while position < count {
      let received = bytes.withUnsafeMutableBytes {
        recv(connection, $0.baseAddress.map { $0 + position }, count - position, 0)
      }
      if received <= 0 { return nil }
      position += received
    }
    return bytes
  }
}

private enum Thread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  static func start(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    pthread_detach(thread)
  }
}
