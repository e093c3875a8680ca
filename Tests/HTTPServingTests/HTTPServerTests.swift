import Foundation
import Synchronization
import TestServers
import Testing

@testable import HTTPServing

/// How many requests are in the slow handler, and were at most.
private final class Crowd: Sendable {
  private let counts = Mutex((now: 0, most: 0))

  var most: Int { counts.withLock(\.most) }

  func enter() {
    counts.withLock {
      $0.now += 1
      $0.most = max($0.most, $0.now)
    }
  }

  func leave() { counts.withLock { $0.now -= 1 } }
}

/// The server as curl sees it.
@Suite struct HTTPServerTests {
  private let crowd = Crowd()

  private func start(_ change: (inout HTTPServer.Settings) -> Void = { _ in }) throws -> HTTPServer {
    var router = Router()
    router.get("/hello/{name}") { .text("xin chào \($0.parameters["name"] ?? "") \($0.query["q"] ?? "-")") }
    router.post("/form") { .text("to \(try $0.form().required("toID"))") }
    router.post("/json") { request in try .json(try request.json(as: [String: Int].self), status: 201) }
    router.post("/size") { .text("\($0.body.count)") }
    router.get("/empty") { _ in HTTPResponse(status: 204) }
    router.get("/slow") { [crowd] _ in
      crowd.enter()
      defer { crowd.leave() }
      try await Task.sleep(for: .milliseconds(500))
      return .text("slow")
    }
    router.get("/stuck") { _ in
      try await Task.sleep(for: .seconds(600))
      return .text("never")
    }
    var settings = HTTPServer.Settings(port: 0)
    settings.bodyBytesMax = 1000
    change(&settings)
    return try HTTPServer.start(router, settings)
  }

  /// The status and the body.
  private func curl(_ server: HTTPServer, _ path: String, _ options: [String] = [], input: String = "") async throws
    -> String
  {
    let words =
      ["curl", "-sS", "-m", "20", "-w", " %{http_code}"] + options + ["http://127.0.0.1:\(server.port)\(path)"]
    return try await runCommand(words, input: input).output
  }

  @Test func answersWhatIsAsked() async throws {
    let server = try start()
    #expect(try await curl(server, "/hello/%C3%82n?q=a+b%26c") == "xin chào Ân a b&c 200")
    #expect(try await curl(server, "/form", ["-d", "fromID=1&toID=2"]) == "to 2 200")
    #expect(try await curl(server, "/form", ["-d", "fromID=1"]) == #"{"error":"the field \"toID\" is missing"} 400"#)
    #expect(try await curl(server, "/form", ["-F", "toID=2"]).hasSuffix("415"))
    let json = ["-H", "Content-Type: application/json", "-d", #"{"b":2,"a":1}"#]
    #expect(try await curl(server, "/json", json) == #"{"a":1,"b":2} 201"#)
    #expect(try await curl(server, "/empty") == " 204")
    #expect(try await curl(server, "/nowhere").hasSuffix("404"))
    #expect(try await curl(server, "/form").hasSuffix("405"))
    #expect(try await curl(server, "/hello/x?q=%zz").hasSuffix("400"))
    #expect(try await curl(server, "/hello/x", ["-I"]).contains("HTTP/1.1 200 OK"))
    await server.stop()
  }

  @Test func bodiesHaveALimit() async throws {
    let server = try start()
    let text = ["-H", "Content-Type: text/plain", "-H", "Expect:", "--data-binary", "@-"]
    let chunked = text + ["-H", "Transfer-Encoding: chunked"]
    let allowed = String(repeating: "x", count: 1000)
    #expect(try await curl(server, "/size", text, input: allowed) == "1000 200")
    #expect(try await curl(server, "/size", chunked, input: allowed) == "1000 200")
    #expect(try await curl(server, "/size", text, input: allowed + "x").hasSuffix("413"))
    #expect(try await curl(server, "/size", chunked, input: allowed + "x").hasSuffix("413"))
    // So much more that the connection goes, and the next one is served.
    _ = try await curl(server, "/size", chunked, input: String(repeating: "x", count: 1_000_000))
    #expect(try await curl(server, "/size", text, input: allowed) == "1000 200")
    await server.stop()
  }

  @Test func requestsDoNotWaitForEachOther() async throws {
    let server = try start()
    let many = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 { group.addTask { try await curl(server, "/slow") } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(many == Array(repeating: "slow 200", count: 20))
    #expect(crowd.most > 1)
    await server.stop()
  }

  @Test func aHandlerThatTakesTooLongIsGivenUp() async throws {
    let server = try start { $0.handlerTimeMax = .milliseconds(100) }
    #expect(try await curl(server, "/stuck").hasSuffix("503"))
    await server.stop()
  }

  @Test func stoppingAnswersWhatWasAsked() async throws {
    let server = try start()
    async let answer = curl(server, "/slow")
    while crowd.most == 0 { try await Task.sleep(for: .milliseconds(10)) }
    await server.stop()
    #expect(try await answer == "slow 200")
    #expect(try await curl(server, "/hello/x").contains("000"))
    await server.stop()
  }

  @Test func stoppingDoesNotWaitForEver() async throws {
    let server = try start()
    async let answer = curl(server, "/stuck")
    try await Task.sleep(for: .milliseconds(300))
    await server.stop(grace: .milliseconds(50))
    _ = try await answer
  }

  @Test func aTakenPortIsSaid() async throws {
    let server = try start()
    let error = #expect(throws: HTTPServer.CannotListen.self) { try start { $0.port = server.port } }
    #expect(error?.description == "cannot listen on 127.0.0.1:\(server.port): Address already in use")
    #expect(throws: HTTPServer.CannotListen.self) { try start { $0.address = "no.address" } }
    await server.stop()
  }
}
