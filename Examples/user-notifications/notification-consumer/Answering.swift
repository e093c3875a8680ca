internal import HTTPServing
internal import OttlaClient
internal import Synchronization
internal import UserNotifications

/// What the consumer server answers.
final class Answering: Sendable {
  /// How long whoever asks waits while the group shares the partitions out, or this server reads what is its.
  private static let patience = Duration.seconds(10)

  private let view: NotificationView
  private let topic: NotificationTopic
  private let group: String
  private let users: UserDirectory
  private let admin: AdminClient
  private let address = Mutex(ConsumerAddress(http: ""))

  init(view: NotificationView, topic: NotificationTopic, group: String, users: UserDirectory, admin: AdminClient) {
    self.view = view
    self.topic = topic
    self.group = group
    self.users = users
    self.admin = admin
  }

  /// Where this server is to be found.
  func listens(at address: ConsumerAddress) { self.address.withLock { $0 = address } }

  var router: Router {
    var router = Router()
    router.get("/notifications/{userID}") { try await self.list($0.parameters["userID"] ?? "") }
    router.get("/assignment") { _ in try await self.tellAssignment() }
    return router
  }

  // MARK: notifications

  private struct Listing: Encodable {
    var message: String?
    var notifications: [Notification] = []
    /// How many older ones are not shown; nil for none.
    var omitted: Int?
  }

  private func list(_ id: String) async throws -> HTTPResponse {
    let user: User
    do {
      user = try users.user(withID: id)
    } catch {
      return try .json(Listing(message: "\(error)"), status: error.status)
    }
    let partition: Int32
    do { partition = try await topic.partition(of: user) } catch { throw HTTPError(503, "\(error)") }
    return try await list(user, in: partition)
  }

  private func list(_ user: User, in partition: Int32) async throws -> HTTPResponse {
    let deadline = ContinuousClock.now + Self.patience
    var wait = ""
    repeat {
      switch view.find(user, in: partition) {
      case .complete(let mailbox): return try .json(Self.listing(of: mailbox, for: user))
      case .incomplete(let position):
        wait = "this server still reads partition \(partition), and has come to offset \(position)"
      case .elsewhere(let remembered):
        let members: [GroupMember]
        do { members = try await self.members() } catch {
          guard let remembered else {
            throw HTTPError(
              503, "this server does not read partition \(partition), and cannot learn who does: \(error)")
          }
          return try .json(Self.listing(of: remembered, for: user, because: "what was read before; now \(error)"))
        }
        switch PartitionHolder(of: partition, among: members, askedBy: address.withLock { $0 }) {
        case .other(let other): return try Self.redirect(user, partition, to: other)
        case .stranger(let clientId):
          throw HTTPError(503, "partition \(partition) is read by \"\(clientId)\", a member that cannot be asked")
        case .own: wait = "this server has just been given partition \(partition)"
        case .nobody: wait = "nobody reads partition \(partition): the group is sharing its partitions out"
        }
      }
      try await Task.sleep(for: .milliseconds(100))
    } while ContinuousClock.now < deadline
    throw HTTPError(503, "\(wait); ask again")
  }

  private static func listing(of mailbox: Mailbox, for user: User, because reason: String? = nil) -> Listing {
    let notifications = mailbox.notifications
    return Listing(
      message: reason ?? (notifications.isEmpty ? "there are no notifications for user \(user.id)" : nil),
      notifications: notifications, omitted: mailbox.omittedCount > 0 ? mailbox.omittedCount : nil)
  }

  private struct Referral: Encodable {
    let message: String
    let consumer: String
  }

  /// curl -L, and every browser, goes there by itself.
  private static func redirect(_ user: User, _ partition: Int32, to other: ConsumerAddress) throws -> HTTPResponse {
    let message = "user \(user.id) is in partition \(partition), which the consumer at \(other.url) reads"
    var response = try HTTPResponse.json(Referral(message: message, consumer: other.url), status: 307)
    response.headers.append(HTTPResponse.Header("Location", "\(other.url)/notifications/\(user.id)"))
    return response
  }

  // MARK: the group

  private func members() async throws(ClientError) -> [GroupMember] {
    let topic = topic.name
    return try await admin.describeGroup(group).members.map { member in
      let partitions = member.assignment.filter { $0.topic == topic }.map(\.partition)
      return GroupMember(clientId: member.clientId, partitions: partitions)
    }
  }

  private struct Assignment: Encodable {
    struct Member: Encodable {
      let consumer: String
      let partitions: [Int32]
    }
    let consumer: String
    let group: String
    let topic: String
    let partitions: [NotificationView.Holding]
    /// All members, as the group's coordinator knows them; nil where it cannot be asked.
    var members: [Member]?
    var message: String?
  }

  private func tellAssignment() async throws -> HTTPResponse {
    var assignment = Assignment(
      consumer: address.withLock { $0.url }, group: group, topic: topic.name, partitions: view.holdings)
    do {
      assignment.members = try await members().map { member in
        Assignment.Member(
          consumer: ConsumerAddress(clientId: member.clientId)?.url ?? member.clientId, partitions: member.partitions)
      }.sorted { $0.consumer < $1.consumer }
    } catch {
      assignment.message = "who else is in the group cannot be told: \(error)"
    }
    return try .json(assignment)
  }
}
