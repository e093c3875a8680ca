import Testing
import UserNotifications

@Suite struct MailboxTests {
  private let an = User(id: 1, name: "An")
  private let binh = User(id: 2, name: "Bình")

  private func notification(_ number: Int, to user: User) throws -> Notification {
    try Notification(from: an, to: user, message: "\(number)")
  }

  @Test func theNewestAreKeptInOrder() throws {
    var mailboxes = Mailboxes(keptMax: 3)
    mailboxes.open(0)
    for number in 1...10 {
      mailboxes.add(try notification(number, to: an), from: 0, at: Int64(number - 1))
      let mailbox = try #require(mailboxes.mailbox(of: an, in: 0))
      #expect(mailbox.notifications.map(\.message) == (max(1, number - 2)...number).map(String.init))
      #expect(mailbox.omittedCount == max(0, number - 3))
    }
  }

  @Test func eachUserHasAMailboxOfHisOwn() throws {
    var mailboxes = Mailboxes(keptMax: 1)
    mailboxes.open(1)
    mailboxes.add(try notification(1, to: an), from: 1, at: 0)
    mailboxes.add(try notification(2, to: binh), from: 1, at: 1)
    #expect(mailboxes.mailbox(of: an, in: 1)?.notifications.map(\.message) == ["1"])
    #expect(mailboxes.mailbox(of: binh, in: 1)?.notifications.map(\.message) == ["2"])
    #expect(mailboxes.mailbox(of: User(id: 3, name: "Chi"), in: 1)?.notifications == [])
  }

  @Test func aPartitionComesAndGoesWithWhatItHolds() throws {
    var mailboxes = Mailboxes(keptMax: 9)
    mailboxes.add(try notification(0, to: an), from: 0, at: 0)
    #expect(mailboxes.mailbox(of: an, in: 0) == nil && mailboxes.progress(of: 0) == nil)
    mailboxes.open(0)
    mailboxes.open(2)
    mailboxes.add(try notification(1, to: an), from: 0, at: 0)
    mailboxes.add(try notification(2, to: binh), from: 2, at: 7)
    mailboxes.close(0)
    #expect(mailboxes.partitions == [2] && mailboxes.mailbox(of: an, in: 0) == nil)
    #expect(mailboxes.mailbox(of: binh, in: 2)?.notifications.count == 1)
    // Read anew from the beginning: nothing twice.
    mailboxes.open(0)
    mailboxes.add(try notification(1, to: an), from: 0, at: 0)
    #expect(mailboxes.mailbox(of: an, in: 0)?.notifications.count == 1)
    mailboxes.open(2)
    #expect(mailboxes.mailbox(of: binh, in: 2)?.notifications == [])
  }

  @Test func whatWasLostIsRememberedUntilTheGroupIsHeardOf() throws {
    var mailboxes = Mailboxes(keptMax: 9)
    mailboxes.open(0)
    mailboxes.open(1)
    mailboxes.add(try notification(1, to: an), from: 0, at: 0)
    mailboxes.lose(0)
    #expect(mailboxes.partitions == [1] && mailboxes.mailbox(of: an, in: 0) == nil)
    #expect(mailboxes.remembered(of: an, in: 0)?.notifications.count == 1)
    #expect(mailboxes.remembered(of: an, in: 1) == nil)
    // A record that comes late is read again by whoever has the partition.
    mailboxes.add(try notification(2, to: an), from: 0, at: 1)
    #expect(mailboxes.remembered(of: an, in: 0)?.notifications.count == 1)
    mailboxes.close(1)
    #expect(mailboxes.remembered(of: an, in: 1) == nil)
    mailboxes.forgetLost()
    #expect(mailboxes.remembered(of: an, in: 0) == nil)
    // To lose what is not open is to lose nothing.
    mailboxes.lose(5)
    #expect(mailboxes.remembered(of: an, in: 5) == nil)
  }

  @Test func progressCountsWhatWasPassedOver() throws {
    var mailboxes = Mailboxes(keptMax: 1)
    mailboxes.open(0)
    #expect(mailboxes.progress(of: 0)?.position == nil)
    mailboxes.add(try notification(1, to: an), from: 0, at: 4)
    mailboxes.add(nil, from: 0, at: 5)
    mailboxes.add(try notification(2, to: an), from: 0, at: 6)
    let progress = try #require(mailboxes.progress(of: 0))
    #expect(progress.position == 7 && progress.notificationCount == 2 && progress.passedOverCount == 1)
  }
}
