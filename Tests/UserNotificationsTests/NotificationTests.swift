import Testing
import UserNotifications

@Suite struct NotificationTests {
  private let an = User(id: 1, name: "An")
  private let binh = User(id: 2, name: "Bình")
  private let directory = UserDirectory.demo

  @Test func theKeyIsTheReceiver() throws {
    let notification = try Notification(from: an, to: binh, message: "hello")
    #expect(notification.key == "2")
    #expect(throws: Never.self) { try notification.check(key: "2", directory: directory) }
    #expect(throws: NotificationError.otherKey("1", expected: "2")) {
      try notification.check(key: "1", directory: directory)
    }
    #expect(throws: NotificationError.otherKey(nil, expected: "2")) {
      try notification.check(key: nil, directory: directory)
    }
  }

  @Test func messagesHaveALimitInBytes() throws {
    #expect(throws: NotificationError.emptyMessage) { try Notification(from: an, to: binh, message: "") }
    #expect(throws: Never.self) { try Notification(from: an, to: binh, message: String(repeating: "x", count: 4000)) }
    #expect(throws: NotificationError.messageTooLong(byteCount: 4002)) {
      try Notification(from: an, to: binh, message: String(repeating: "à", count: 2001))
    }
  }

  @Test func nobodyReceivesForAStranger() throws {
    let notification = try Notification(from: an, to: User(id: 9, name: "?"), message: "hello")
    #expect(throws: NotificationError.unknownReceiver(9)) { try notification.check(key: "9", directory: directory) }
  }
}
