internal import Broker
internal import CLinux
internal import Glibc
internal import Synchronization
internal import Threads

/// Looks names up, on a thread of its own: the system's resolver may wait for a server that does not answer. The thread
/// is started for the first name; brokers that know each other by addresses never have it.
final class Resolver: Sendable {
  private struct Question: Sendable {
    let name: String
    let connection: ConnectionID
    let loop: Int
  }

  private struct State {
    var isStarted = false
    var isStopped = false
    var waitingCount = 0
  }

  /// Names that may wait at once; further connections fail.
  static let waitingMax = 256
  private static let addressesMax = 8
  /// What `ottla_start_connect` says of a name.
  static let notAnAddress = -EINVAL

  private let mailboxes: [Mailbox]
  private let questions = JobQueue<Question>()
  private let state = Mutex(State())

  /// - Parameter mailboxes: of the loops, by their numbers: where answers go.
  init(mailboxes: [Mailbox]) { self.mailboxes = mailboxes }

  /// Looks a name up; the answer comes to the loop's mailbox. False where too many wait already.
  func resolve(_ name: String, for connection: ConnectionID, loop: Int) -> Bool {
    let (isTaken, mustStart) = state.withLock { state -> (Bool, Bool) in
      guard !state.isStopped, state.waitingCount < Self.waitingMax else { return (false, false) }
      state.waitingCount += 1
      defer { state.isStarted = true }
      return (true, !state.isStarted)
    }
    guard isTaken else { return false }
    // Not waited for at the stop: a question may hang for as long as the system's resolver likes, and hurts nobody.
    if mustStart { ShardThread(name: "resolver") { [self] in work() }.detach() }
    questions.add(Question(name: name, connection: connection, loop: loop))
    return true
  }

  /// No more is looked up.
  func stop() {
    state.withLock { $0.isStopped = true }
    questions.close()
  }

  private func work() {
    while let question = questions.take() {
      let isStopped = state.withLock { state in
        state.waitingCount -= 1
        return state.isStopped
      }
      if isStopped { continue }
      let addresses = Self.addresses(of: question.name)
      mailboxes[question.loop].post([.resolved(question.connection, addresses: addresses)])
    }
  }

  /// The addresses of a name, in the order in which they are to be tried.
  static func addresses(of name: String) -> [String] {
    let width = Int(OTTLA_ADDRESS_MAX)
    var bytes = [CChar](repeating: 0, count: addressesMax * width)
    let count = bytes.withUnsafeMutableBufferPointer { ottla_resolve(name, $0.baseAddress, Int32(addressesMax)) }
    return (0..<max(0, Int(count))).map { number in
      let characters = bytes[number * width..<(number + 1) * width].prefix { $0 != 0 }
      return String(decoding: characters.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
