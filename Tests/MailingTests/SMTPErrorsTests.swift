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

  @Test func withoutOneTheLibrarysCounts() {
    #expect(error(CURLE_COULDNT_CONNECT).kind == .retriable)
    #expect(error(CURLE_PEER_FAILED_VERIFICATION).kind == .fatal)
    #expect(error(CURLE_RECV_ERROR, 354).mayHaveArrived == false)
    #expect(error(CURLE_RECV_ERROR, 354, isAllSent: true).mayHaveArrived)
  }
}
