import NotificationVocabulary
import OttlaSQL
import Synchronization
import Testing

@testable import HTTPServing
@testable import account_service

@Suite struct AccountRoutesTests {
  private final class Desk: Sendable {
    let accounts = Mutex<[NewAccount]>([])
    let openedCount = Mutex(0)
  }
  private let desk = Desk()

  private func post(_ json: String, failing error: SQLError? = nil) async -> (status: Int, text: String) {
    let desk = desk
    let router = AccountRoutes.router { account in
      if let error { throw error }
      desk.accounts.withLock { $0.append(account) }
    } opened: {
      desk.openedCount.withLock { $0 += 1 }
    }
    let request = HTTPRequest(
      method: "POST", path: "/account/new", headers: ["content-type": "application/json"], body: Array(json.utf8))
    let response = await router.answer(request) { _ in }
    return (response.status, String(decoding: response.body, as: UTF8.self))
  }

  @Test func theAccountIsEchoed() async {
    let answer = await post(#"{"name":"An","email":"an@example.com"}"#)
    #expect(answer.status == 200 && answer.text == #"{"email":"an@example.com","name":"An"}"#)
    #expect(desk.accounts.withLock { $0 } == [NewAccount(name: "An", email: "an@example.com")])
    #expect(desk.openedCount.withLock { $0 } == 1)
  }

  @Test(arguments: ["", "{}", #"{"name":"An"}"#, #"{"name":"","email":"an@example.com"}"#, #"{"name":"An","email":7}"#])
  func whatIsNoAccountIsRefused(_ json: String) async {
    let answer = await post(json)
    #expect(answer.status == 400 && answer.text.contains("error"))
    #expect(desk.accounts.withLock { $0.isEmpty } && desk.openedCount.withLock { $0 } == 0)
  }

  @Test(arguments: [(SQLError.Kind.unreachable, 503), (.commitUnknown, 503), (.statement, 500)])
  func aDatabaseThatFailsIsSaid(_ kind: SQLError.Kind, _ status: Int) async {
    let answer = await post(#"{"name":"An","email":"an@example.com"}"#, failing: SQLError(kind, "secret words"))
    #expect(answer.status == status && !answer.text.contains("secret"))
    #expect(answer.text.contains("not known") == (kind == .commitUnknown))
    #expect(desk.openedCount.withLock { $0 } == 0)
  }
}
