import Foundation
import TestServers
import Testing

@testable import Mailing

/// A real mail server (PyPI's aiosmtpd) with STARTTLS and a login.
private final class MailServer {
  static let python = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: ".build/venv/bin/python").path()
  /// Why there is none, or nil.
  static let isMissing = !FileManager.default.isExecutableFile(atPath: python)

  struct Taken: Decodable {
    let from: String
    let to: [String]
    let headers: [String: String]
    let body: String
    let longest: Int
    let tls: Bool
    let authenticated: Bool
  }

  let folder: String
  let port: Int
  private let process: GuardedProcess
  var certificate: String { "\(folder)/certificate.pem" }

  init() async throws {
    folder = try temporaryFolder("smtp")
    port = try freePort()
    let made = try await runCommand([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(folder)/key.pem", "-out",
      "\(folder)/certificate.pem",
    ])
    try #require(made.status == 0, "\(made.output)")
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "smtp_server.py").path()
    process = try GuardedProcess(
      [Self.python, script, "\(port)", "\(folder)/certificate.pem", "\(folder)/key.pem", "\(folder)/taken"],
      output: "\(folder)/log", folder: folder)
    for _ in 0..<1000 {
      if try String(contentsOfFile: "\(folder)/log", encoding: .utf8).contains("listening") { break }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  deinit {
    process.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  var settings: MailerSettings {
    var settings = MailerSettings(host: "localhost", port: UInt16(port), user: "shop", password: "mật khẩu")
    settings.caFile = certificate
    settings.secondsMax = 10
    return settings
  }

  func taken() throws -> [Taken] {
    guard let text = try? String(contentsOfFile: "\(folder)/taken", encoding: .utf8) else { return [] }
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Taken.self, from: Data($0.utf8)) }
  }
}

@Suite(.enabled(if: !MailServer.isMissing, "aiosmtpd is missing: make test-packages"))
struct MailerTests {
  private func mail(to address: String, id: String = "1") throws -> Mail {
    Mail(
      from: try MailAddress("shop@example.com", name: "Cửa hàng"), to: try MailAddress(address, name: "Nguyễn Văn An"),
      subject: "Chào mừng bạn đến với cửa hàng của chúng tôi, nơi có mọi thứ bạn cần 🎈",
      html: try MailTemplate("<h1>Xin chào {{name}}</h1>\n.\n<p>{{content}}</p>").html([
        "name": "An", "content": String(repeating: "nội dung <b> ", count: 100),
      ]), id: id)
  }

  private func error(_ settings: MailerSettings, to address: String = "an@example.com") async throws -> MailError? {
    let mail = try mail(to: address)
    do {
      try await Mailer(settings).send(mail)
      return nil
    } catch { return error }
  }

  @Test func mailsArriveAsTheyWereWritten() async throws {
    let server = try await MailServer()
    let mailer = Mailer(server.settings)
    for id in ["welcome-1", "welcome-2"] { try await mailer.send(try mail(to: "an@example.com", id: id)) }
    let taken = try server.taken()
    #expect(taken.map(\.headers["Message-ID"]) == ["<welcome-1@example.com>", "<welcome-2@example.com>"])
    let first = try #require(taken.first)
    let mail = try mail(to: "an@example.com")
    #expect(first.from == "shop@example.com")
    #expect(first.to == ["an@example.com"])
    #expect(first.headers["From"] == "Cửa hàng <shop@example.com>")
    #expect(first.headers["To"] == "Nguyễn Văn An <an@example.com>")
    #expect(first.headers["Subject"] == mail.subject)
    #expect(first.body == mail.html)
    #expect(first.longest <= 78)
    #expect(first.tls && first.authenticated)
  }

  @Test func errorsAreRetriableOrNot() async throws {
    let server = try await MailServer()
    let busy = try await error(server.settings, to: "busy@example.com")
    #expect(busy?.kind == .retriable)
    #expect(busy?.code == 451)
    let nobody = try await error(server.settings, to: "nobody@example.com")
    #expect(nobody?.kind == .fatal)
    #expect(nobody?.code == 550)
    var wrong = server.settings
    wrong.password = "wrong"
    let refused = try await error(wrong)
    #expect(refused?.kind == .fatal)
    #expect(refused?.code == 535 && refused?.concernsSettings == true && nobody?.concernsSettings == false)
    #expect(refused?.description.contains("check user and password") == true)
    #expect(try server.taken().isEmpty)
  }

  @Test func whatIsNotTrustedIsNotToldThePassword() async throws {
    let server = try await MailServer()
    var stranger = server.settings
    stranger.caFile = nil
    let untrusted = try await error(stranger)
    #expect(untrusted?.kind == .fatal)
    #expect(untrusted?.advice.contains("caFile") == true)
    // The certificate is that of another name.
    stranger = server.settings
    stranger.host = "127.0.0.1"
    #expect(try await error(stranger)?.kind == .fatal)
    #expect(try server.taken().isEmpty)
  }

  @Test func aServerThatIsAwayOrVanishesMayComeBack() async throws {
    let server = try await MailServer()
    var away = server.settings
    away.port = UInt16(try freePort())
    let unreachable = try await error(away)
    #expect(unreachable?.kind == .retriable)
    #expect(unreachable?.mayHaveArrived == false)
    let vanished = try await error(server.settings, to: "vanish@example.com")
    #expect(vanished?.kind == .retriable)
    #expect(vanished?.mayHaveArrived == true)
    // The same mailer goes on.
    let mailer = Mailer(server.settings)
    let lost = try mail(to: "vanish@example.com")
    await #expect(throws: MailError.self) { try await mailer.send(lost) }
    try await mailer.send(try mail(to: "an@example.com"))
    #expect(try server.taken().count == 1)
  }
}
