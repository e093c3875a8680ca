import Broker
import CLinux
import Synchronization
import Testing

@testable import Runtime

@Suite struct MailboxTests {
  /// A message that carries a number.
  private func message(_ number: Int) -> LoopMessage {
    .accepted(
      descriptor: Int32(number),
      PeerAddressBox(address: .init(host: "", port: 0, localHost: "", localPort: 0, listener: 0)))
  }

  private func number(_ message: LoopMessage) -> Int {
    if case .accepted(let descriptor, _) = message { Int(descriptor) } else { -1 }
  }

  @Test func messagesAreTakenInTheirOrderAndOnce() {
    let mailbox = Mailbox()
    #expect(mailbox.take().isEmpty)
    mailbox.post([message(1), message(2)])
    mailbox.post([message(3)])
    #expect(mailbox.take().map(number) == [1, 2, 3])
    #expect(mailbox.take().isEmpty)
  }

  @Test func aLoopFallsAsleepOnlyBesideAnEmptyMailbox() {
    let mailbox = Mailbox()
    #expect(mailbox.fallAsleep())
    mailbox.wakeUp()
    mailbox.post([message(1)])
    #expect(!mailbox.fallAsleep())
    _ = mailbox.take()
    #expect(mailbox.fallAsleep())
  }

  /// Many threads post, one loop sleeps whenever it may: no message is lost or waits beside a sleeping loop, and those
  /// of one thread keep their order.
  @Test(.timeLimit(.minutes(1))) func noMessageWaitsBesideASleepingLoop() {
    let mailbox = Mailbox()
    let senderCount = 4
    let messageCount = 5_000
    let senders = (0..<senderCount).map { sender in
      Thread(
        ShardThread(name: "sender") {
          for number in 0..<messageCount {
            mailbox.post([
              .accepted(
                descriptor: Int32(sender * messageCount + number),
                PeerAddressBox(address: .init(host: "", port: 0, localHost: "", localPort: 0, listener: 0)))
            ])
            if number % 64 == 0 { _ = ottla_random() }
          }
        })
    }
    var last = Array(repeating: -1, count: senderCount)
    var taken = 0
    while taken < senderCount * messageCount {
      if mailbox.fallAsleep() {
        // Returns when somebody has signalled; a lost wake-up would wait here for ever.
        ottla_wait_readable(mailbox.eventDescriptor, -1)
        ottla_eventfd_clear(mailbox.eventDescriptor)
      }
      mailbox.wakeUp()
      for message in mailbox.take() {
        let value = number(message)
        let sender = value / messageCount
        #expect(value % messageCount == last[sender] + 1)
        last[sender] = value % messageCount
        taken += 1
      }
    }
    for sender in senders { sender.join() }
    #expect(mailbox.take().isEmpty)
  }
}

/// A thread handle in an array, which takes no noncopyable values.
final class Thread {
  private var thread: ShardThread?
  init(_ thread: consuming ShardThread) { self.thread = consume thread }
  func join() {
    if let thread = thread.take() { thread.join() }
  }
}
