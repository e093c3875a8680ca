import Testing

@testable import HTTPServing

@Suite struct RouterTests {
  private struct Mishap: Error {}

  private var router: Router {
    var router = Router()
    router.get("/notifications/{userID}") { .text("for \($0.parameters["userID"] ?? "")") }
    router.get("/notifications/all") { _ in .text("never reached: the first that matches is taken") }
    router.post("/send") { _ in .text("sent") }
    router.on("PUT", "/send") { _ in .text("put") }
    router.get("/fails") { _ in throw Mishap() }
    router.get("/refuses") { _ in throw HTTPError(404, "no such user") }
    router.get("/") { _ in .text("root") }
    return router
  }

  private func ask(_ method: String, _ path: String) async -> HTTPResponse {
    await router.answer(HTTPRequest(method: method, path: path)) { _ in }
  }

  private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

  @Test func pathsLeadToHandlers() async {
    #expect(text(await ask("GET", "/")) == "root")
    #expect(text(await ask("GET", "/notifications/7")) == "for 7")
    #expect(text(await ask("HEAD", "/notifications/all")) == "for all")
    #expect(text(await ask("PUT", "/send")) == "put")
  }

  @Test func parametersAreDecodedAfterThePathIsSplit() async {
    #expect(text(await ask("GET", "/notifications/a%2Fb%20c+d")) == "for a/b c+d")
    #expect(await ask("GET", "/notifications/%zz").status == 400)
  }

  @Test func whatIsNotThereIsNotFound() async {
    for path in ["/notifications", "/notifications/1/2", "/Send", "/sen"] {
      #expect(await ask("GET", path).status == 404, "\(path)")
    }
  }

  @Test func aWrongMethodIsToldTheRightOnes() async {
    let response = await ask("DELETE", "/send")
    #expect(response.status == 405)
    #expect(response.headers.contains(HTTPResponse.Header("Allow", "POST, PUT")))
    #expect(await ask("POST", "/").headers.contains(HTTPResponse.Header("Allow", "GET, HEAD")))
  }

  @Test func errorsBecomeAnswersThatTellNothingOfTheInside() async {
    let refused = await ask("GET", "/refuses")
    #expect(refused.status == 404)
    #expect(text(refused) == #"{"error":"no such user"}"#)
    let failed = await ask("GET", "/fails")
    #expect(failed.status == 500)
    #expect(text(failed) == #"{"error":"the server failed"}"#)
  }
}
