import CCurl
import Testing

@testable import Mailing

@Suite struct SMTPErrorsTests {
  private func error(_ code: CURLcode, _ answer: Int = 0, isAllSent: Bool = false) -> MailError {
    SMTPErrors.error(code, answer: answer, message: "", isAllSent: isAllSent)
  }

  @Test func theServersWordComesFirst() {
    #expect(error(CURLE_SEND_ERROR, 550).kind == .fatal)
    #expect(error(CURLE_LOGIN_DENIED, 454).kind == .retriable)
    #expect(error(CURLE_LOGIN_DENIED, 535).kind == .fatal)
  }

  @Test func whatConcernsAllMailsIsToldFromWhatConcernsOne() {
    for answer in [530, 534, 535, 538] { #expect(error(CURLE_SEND_ERROR, answer).concernsSettings, "\(answer)") }
    #expect(error(CURLE_LOGIN_DENIED, 550).concernsSettings && error(CURLE_LOGIN_DENIED).concernsSettings)
    #expect(error(CURLE_PEER_FAILED_VERIFICATION).concernsSettings && error(CURLE_USE_SSL_FAILED).concernsSettings)
    // A mailbox that is not there, a login that is not possible now, a server that is away.
    #expect(!error(CURLE_SEND_ERROR, 550).concernsSettings && !error(CURLE_LOGIN_DENIED, 454).concernsSettings)
    #expect(!error(CURLE_COULDNT_CONNECT).concernsSettings)
  }

  @Test func withoutOneTheLibrarysCounts() {
    #expect(error(CURLE_COULDNT_CONNECT).kind == .retriable)
    #expect(error(CURLE_PEER_FAILED_VERIFICATION).kind == .fatal)
    #expect(error(CURLE_RECV_ERROR, 354).mayHaveArrived == false)
    #expect(error(CURLE_RECV_ERROR, 354, isAllSent: true).mayHaveArrived)
  }
}
