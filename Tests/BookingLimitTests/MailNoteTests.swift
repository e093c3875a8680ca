import Testing

@testable import email_service

@Suite struct MailNoteTests {
  private let unsent = MailNote(state: .unsent, attempts: 2)
  private let sending = MailNote(state: .sending, attempts: 2)
  private let sent = MailNote(state: .sent, attempts: 2)

  @Test(arguments: MailNote.WhenInDoubt.allCases) func whatIsKnownNeedsNoPolicy(_ policy: MailNote.WhenInDoubt) {
    for earlier in [nil, sending, MailNote(state: .sending, attempts: 1)] {
      #expect(unsent.decision(earlier: earlier, whenInDoubt: policy) == .send(isInDoubt: false))
      #expect(sent.decision(earlier: earlier, whenInDoubt: policy) == .drop)
    }
  }

  @Test func anAttemptWithoutAnEndIsWaitedForOnce() {
    for policy in MailNote.WhenInDoubt.allCases {
      #expect(sending.decision(earlier: nil, whenInDoubt: policy) == .wait)
      // Somebody has begun another one meanwhile: it is theirs.
      #expect(
        sending.decision(earlier: MailNote(state: .sending, attempts: 1), whenInDoubt: policy) == .wait)
    }
    #expect(sending.decision(earlier: sending, whenInDoubt: .sendAgain) == .send(isInDoubt: true))
    #expect(sending.decision(earlier: sending, whenInDoubt: .deadLetter) == .setAside)
  }
}
