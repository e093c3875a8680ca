import OttlaClient
import OttlaErrorHandling
import Testing

@testable import dlt_reader

@Suite struct DeadLetterTests {
  private let headers = [
    Header(FailureHeader.originalTopic, "notification"), Header(FailureHeader.originalPartition, "1"),
    Header(FailureHeader.originalOffset, "17"), Header(FailureHeader.group, "notificationGroup"),
    Header(FailureHeader.attempts, "3"), Header(FailureHeader.errorMessage, "no such mailbox"),
    Header(FailureHeader.errorType, "Mailing.MailError"),
  ]

  @Test func itSaysWhereItWasAndWhyItIsHere() {
    let letter = DeadLetter(place: "notification.DLT-1@0", headers: headers, value: "{}", byteCount: 2)
    #expect(
      letter.sentence
        == "dead letter notification.DLT-1@0, once notification-1@17: given up by notificationGroup after 3 attempt(s): "
        + "no such mailbox (Mailing.MailError); its value: {}")
  }

  /// Of two headers of one name the last counts, as where records are processed: the first may be anybody's.
  @Test func theLastFailureIsTheOneThatIsTold() {
    let earlier = [Header(FailureHeader.attempts, "9"), Header(FailureHeader.errorMessage, "long past")]
    let letter = DeadLetter(place: "p", headers: earlier + headers, value: "{}", byteCount: 2)
    #expect(letter.sentence == DeadLetter(place: "p", headers: headers, value: "{}", byteCount: 2).sentence)
  }

  @Test func whatIsMissingOrLongIsShownSo() {
    func sentence(_ value: String?, _ byteCount: Int?) -> String {
      DeadLetter(place: "t-0@0", headers: [], value: value, byteCount: byteCount).sentence
    }
    #expect(sentence(nil, nil).contains("once ?-?@?") && sentence(nil, nil).hasSuffix("its value: null"))
    #expect(sentence(nil, 3).hasSuffix("3 bytes that are no text"))
    #expect(sentence(String(repeating: "x", count: 201), 201).hasSuffix(String(repeating: "x", count: 200) + "..."))
  }
}
