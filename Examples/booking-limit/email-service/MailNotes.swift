internal import OttlaSQL
internal import ServiceSteps

/// The notes in the database: table `mails`.
struct MailNotes: Sendable {
  let database: SQLDatabase

  func prepare() async throws {
    try await database.makeTables { transaction in
      try await transaction.run(
        """
        CREATE TABLE IF NOT EXISTS mails (
          id TEXT PRIMARY KEY, recipient TEXT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL)
        """)
    }
  }

  /// Reads a mail's note, makes one where there is none, and begins an attempt where `decide` says so: in one transaction, which waits
  /// while another attempt at the same mail has its own open.
  ///
  /// - Returns: the note as it was, and what was decided.
  func begin(
    _ id: String, recipient: String, decide: (MailNote) -> MailNote.Decision
  ) async throws -> (note: MailNote, decision: MailNote.Decision) {
    try await database.transaction { transaction in
      try await transaction.run(
        """
        INSERT INTO mails (id, recipient, state, attempts) VALUES (\(id), \(recipient), 'unsent', 0)
        ON CONFLICT (id) DO NOTHING
        """)
      // An update, though nothing changes: it is what waits for other transactions in every dialect.
      let found = try await transaction.run(
        "UPDATE mails SET attempts = attempts WHERE id = \(id) RETURNING state, attempts")
      let note = try Self.note(found.rows[0])
      let decision = decide(note)
      if case .send = decision {
        try await transaction.run("UPDATE mails SET state = 'sending', attempts = attempts + 1 WHERE id = \(id)")
      }
      return (note, decision)
    }
  }

  /// Writes down that a mail was sent, sends it, and commits. All that is left to do when the server has taken the mail is
  /// the commit, which is one word to the database.
  ///
  /// - Parameter attempt: the one that was begun. Where another has begun since, nothing is sent.
  func sent(_ id: String, attempt: Int, sending: () async throws -> Void) async throws {
    try await database.transaction { transaction in
      let noted = try await transaction.run(
        "UPDATE mails SET state = 'sent' WHERE id = \(id) AND state = 'sending' AND attempts = \(attempt)")
      guard noted.affectedCount == 1 else { throw Overtaken(id: id) }
      try await sending()
    }
  }

  /// Writes down how an attempt has ended.
  func note(_ state: MailNote.State, _ id: String, attempt: Int) async throws(SQLError) {
    switch state {
    case .unsent:
      // Unless somebody else is sending it by now.
      try await database.run(
        "UPDATE mails SET state = 'unsent' WHERE id = \(id) AND state = 'sending' AND attempts = \(attempt)")
    case .sent, .sending:
      try await database.run("UPDATE mails SET state = \(state.rawValue) WHERE id = \(id)")
    }
  }

  private static func note(_ row: SQLRow) throws(SQLError) -> MailNote {
    let text: String = try row.value("state")
    guard let state = MailNote.State(rawValue: text) else {
      throw SQLError(.value, "a mail's state is '\(text)'", advice: "it must be unsent, sending or sent")
    }
    return MailNote(state: state, attempts: try row.value("attempts"))
  }
}

/// Another process has taken a mail over, because this one was silent for long.
struct Overtaken: Error, CustomStringConvertible {
  let id: String
  var description: String { "mail \(id) was taken over by another process" }
}
