import OttlaSQL
import OttlaSQLite
import Testing

@testable import email_service

@Suite struct MailNotesTests {
  private func notes() async throws -> MailNotes {
    let notes = MailNotes(database: .sqlite(SQLiteOptions(path: ":memory:")))
    try await notes.prepare()
    return notes
  }

  private func begin(_ notes: MailNotes) async throws -> MailNote {
    try await notes.begin("m", recipient: "an@example.com") { _ in .send(isInDoubt: false) }.note
  }

  private func look(_ notes: MailNotes) async throws -> MailNote {
    try await notes.begin("m", recipient: "an@example.com") { _ in .drop }.note
  }

  @Test func anAttemptIsWrittenDownBeforeItAndAfterIt() async throws {
    let notes = try await notes()
    #expect(try await look(notes) == MailNote(state: .unsent, attempts: 0))
    #expect(try await begin(notes) == MailNote(state: .unsent, attempts: 0))
    #expect(try await look(notes) == MailNote(state: .sending, attempts: 1))
    try await notes.sent("m", attempt: 1) {}
    #expect(try await look(notes) == MailNote(state: .sent, attempts: 1))
  }

  @Test func whatFailsStaysInDoubtUntilItsEndIsNoted() async throws {
    struct Away: Error {}
    let notes = try await notes()
    _ = try await begin(notes)
    await #expect(throws: Away.self) { try await notes.sent("m", attempt: 1) { throw Away() } }
    #expect(try await look(notes) == MailNote(state: .sending, attempts: 1))
    try await notes.note(.unsent, "m", attempt: 1)
    #expect(try await look(notes) == MailNote(state: .unsent, attempts: 1))
    try await notes.note(.sent, "m", attempt: 1)
    #expect(try await look(notes) == MailNote(state: .sent, attempts: 1))
  }

  @Test func whoeverWasOvertakenSendsNothingAndSpoilsNothing() async throws {
    let notes = try await notes()
    _ = try await begin(notes)
    _ = try await begin(notes)
    var count = 0
    await #expect(throws: Overtaken.self) { try await notes.sent("m", attempt: 1) { count += 1 } }
    #expect(count == 0)
    try await notes.note(.unsent, "m", attempt: 1)
    #expect(try await look(notes) == MailNote(state: .sending, attempts: 2))
    try await notes.sent("m", attempt: 2) { count += 1 }
    #expect(count == 1)
  }
}
