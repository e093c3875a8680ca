import Launching
import Mailing
import Testing

@testable import notification_service

@Suite struct MailOptionsTests {
  private func settings(_ words: String...) throws -> MailerSettings {
    guard case .options(let options) = try NotificationService.usage.read(words) else { throw CommandError("help") }
    return try MailOptions.settings(options)
  }

  @Test func theyAreRead() throws {
    let settings = try settings(
      "--mail-host", "mail.example.com", "--mail-port", "2525", "--mail-user", "shop", "--mail-password", "secret")
    #expect(settings.host == "mail.example.com" && settings.port == 2525)
    #expect(settings.user == "shop" && settings.password == "secret" && settings.security == .startTLS)
    #expect(settings.caFile == nil)
  }

  @Test func whatIsMissingIsSaid() {
    #expect(throws: CommandError.self) { try settings() }
    #expect(throws: CommandError.self) { try settings("--mail-password", "x", "--mail-port", "0") }
    #expect(throws: CommandError.self) { try settings("--mail-password", "x", "--mail-certificate", "/nowhere") }
  }
}
