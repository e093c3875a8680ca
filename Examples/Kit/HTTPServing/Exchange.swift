internal import CMicrohttpd
internal import Synchronization

/// A request and its answer.
///
/// Can become: receiving, set aside while its handler works, answered; the library then calls again, and it is sent.
final class Exchange: Sendable {
  private struct State {
    var body: [UInt8] = []
    /// Bytes that were too many.
    var refusedCount = 0
    var isSetAside = false
    var answer: HTTPResponse?
    var task: Task<Void, Never>?
  }

  let method: String
  let path: String
  let headers: [String: String]
  private let bodyBytesMax: Int
  /// The library's connection, whose calls for suspending and resuming may come from any thread. It is there until the request is over,
  /// and no request is over while it is set aside.
  private let address: UInt
  private let state = Mutex(State())

  init(connection: OpaquePointer, method: String, path: String, headers: [String: String], bodyBytesMax: Int) {
    self.method = method
    self.path = path
    self.headers = headers
    self.bodyBytesMax = bodyBytesMax
    address = UInt(bitPattern: connection)
  }

  var isTooLargeAtOnce: Bool { headers["content-length"].flatMap { Int($0) }.map { $0 > bodyBytesMax } ?? false }
  var isTooLarge: Bool { state.withLock { $0.refusedCount > 0 } }
  var answer: HTTPResponse? { state.withLock(\.answer) }
  var body: [UInt8] { state.withLock(\.body) }

  /// Takes a part of the body. False when there is so much that the connection has to go.
  func receive(_ part: UnsafeRawBufferPointer) -> Bool {
    let bytes = Array(part)
    return state.withLock { state in
      guard state.refusedCount == 0, state.body.count + bytes.count <= bodyBytesMax else {
        // What comes of a body without a length is thrown away for a while, so that the client can read why.
        state.refusedCount += bytes.count
        state.body = []
        return state.refusedCount <= 8 * bodyBytesMax
      }
      state.body += bytes
      return true
    }
  }

  /// The library leaves the connection alone until `finish`. On the library's thread.
  func setAside() {
    state.withLock { state in
      state.isSetAside = true
      MHD_suspend_connection(OpaquePointer(bitPattern: address))
    }
  }

  func began(_ task: Task<Void, Never>) { state.withLock { $0.task = task } }

  /// Gives the answer, from any thread; the first one counts.
  func finish(_ response: HTTPResponse) {
    let task = state.withLock { state -> Task<Void, Never>? in
      guard state.answer == nil, state.isSetAside else { return nil }
      state.answer = response
      state.isSetAside = false
      MHD_resume_connection(OpaquePointer(bitPattern: address))
      return state.task
    }
    task?.cancel()
  }

  /// Hands the answer to the library. On the library's thread.
  func send(_ response: HTTPResponse) -> MHD_Result {
    // Empty bodies too need an address.
    var bytes = response.body + [0]
    guard let created = MHD_create_response_from_buffer(response.body.count, &bytes, ottla_http_must_copy) else {
      return ottla_http_no
    }
    defer { MHD_destroy_response(created) }
    for header in response.headers { MHD_add_response_header(created, header.name, header.value) }
    return MHD_queue_response(OpaquePointer(bitPattern: address), UInt32(clamping: response.status), created)
  }
}
