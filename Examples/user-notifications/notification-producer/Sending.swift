internal import HTTPServing
internal import Launching
internal import OttlaClient
internal import OttlaJSON
internal import UserNotifications

/// What the producer server answers.
struct Sending: Sendable {
  let producer: Producer
  let topic: NotificationTopic
  let users: UserDirectory
  let end: ProgramEnd

  var router: Router {
    var router = Router()
    router.post("/send") { try await send($0) }
    router.get("/users") { _ in try await listUsers() }
    return router
  }

  /// Where a notification lies, for whoever sent it.
  private struct Confirmation: Encodable {
    let message = "notification sent"
    let topic: String
    let partition: Int32
    let offset: Int64?
  }

  private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
    let notification = try read(request.form())
    // A topic that came into being by sending to it would have as many partitions as the broker likes.
    do { _ = try await topic.partitionCount() } catch { throw HTTPError(503, "not sent: \(error)") }
    let record = try ProducerRecord(
      topic: topic.name, key: notification.key, value: notification, by: JSONCodec<Notification>())
    do {
      let report = try await producer.send(record)
      say(
        "user \(notification.from.id) to user \(notification.to.id): \(report.topicPartition) at \(report.offset ?? -1)"
      )
      return try .json(Confirmation(topic: report.topic, partition: report.partition, offset: report.offset))
    } catch let error as ProducerError {
      complain("user \(notification.from.id) to user \(notification.to.id): \(error)")
      // A producer that can do nothing more needs a new process.
      if error.isFatal { end.request(because: "\(error)") }
      throw HTTPError(refusing: error)
    }
  }

  private func read(_ form: FormFields) throws(HTTPError) -> Notification {
    let (fromID, toID) = (try form.required("fromID"), try form.required("toID"))
    let message = try form.required("message")
    do {
      return try Notification(from: users.user(withID: fromID), to: users.user(withID: toID), message: message)
    } catch let error as UserError {
      throw HTTPError(error.status, "\(error)")
    } catch {
      throw HTTPError(400, "\(error)")
    }
  }

  /// A user, and where his or her notifications go.
  private struct Listing: Encodable {
    let id: Int
    let name: String
    let partition: Int32
  }

  private func listUsers() async throws -> HTTPResponse {
    var listings: [Listing] = []
    for user in users.users {
      do {
        listings.append(Listing(id: user.id, name: user.name, partition: try await topic.partition(of: user)))
      } catch {
        throw HTTPError(503, "\(error)")
      }
    }
    return try .json(["users": listings])
  }
}

extension HTTPError {
  /// What a record that was not acknowledged means for whoever wanted it sent.
  init(refusing error: ProducerError) {
    switch error {
    case .notDelivered(let cause, mayArrive: true):
      self.init(
        504, "it is not known whether the notification was sent; if you send it again it may come twice: \(cause)")
    case .cancelled(mayArrive: true):
      self.init(504, "it is not known whether the notification was sent; if you send it again it may come twice")
    case .notDelivered(let cause, mayArrive: false): self.init(503, "not sent, try again later: \(cause)")
    case .rejected(let cause): self.init(500, "not sent: \(cause)")
    case .queueFull, .closed, .cancelled, .notFlushed: self.init(503, "not sent, try again later: \(error)")
    }
  }
}
