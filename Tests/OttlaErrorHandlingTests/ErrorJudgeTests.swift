import OttlaClient
import Testing

@testable import OttlaErrorHandling

@Suite struct ErrorJudgeTests {
  private struct Away: Error {}
  private struct Wrong: Error, Equatable { var isPassing = false }

  @Test func whatDoesNotDecodeIsFatalAndTheUnknownIsNot() {
    let judge = ErrorJudge()
    #expect(judge.kind(of: SerializationError("it is null")) == .fatal)
    #expect(judge.kind(of: Away()) == .retriable)
    #expect(judge.kind(of: ClientError.timedOut(operation: "a commit", reason: "10 s")) == .retriable)
    #expect(judge.kind(of: ClientError.messageTooLarge(reason: "9 MB")) == .fatal)
    #expect(judge.kind(of: ProducerError.rejected(.messageTooLarge(reason: "9 MB"))) == .fatal)
    // The record is not to blame for a program that ends.
    #expect(judge.kind(of: ProducerError.closed) == .retriable && judge.kind(of: ClientError.cancelled) == .retriable)
  }

  @Test func whatWasSaidLastCountsFirst() {
    let judge = ErrorJudge().fatal(Wrong.self).judging { ($0 as? Wrong)?.isPassing == true ? .retriable : nil }
      .retriable(SerializationError.self)
    #expect(judge.kind(of: Wrong()) == .fatal)
    #expect(judge.kind(of: Wrong(isPassing: true)) == .retriable)
    #expect(judge.kind(of: SerializationError("late schema")) == .retriable)
    #expect(judge.halting(Away.self).kind(of: Away()) == .halting && judge.kind(of: Away()) == .retriable)
    #expect(judge.fatal(Wrong.self).kind(of: Wrong(isPassing: true)) == .fatal)
  }
}
