internal import CSQLite
internal import OttlaSQL

/// What SQLite's codes mean.
enum SQLiteErrors {
  /// - Parameters:
  ///   - code: an extended code.
  ///   - path: of the file, where it was to be opened.
  static func of(_ code: Int32, message: String, path: String?) -> SQLError {
    let (kind, advice) = meaning(of: code)
    return SQLError(
      kind, path.map { "\($0): \(message)" } ?? message, sqlstate: name(of: code), advice: advice)
  }

  static func meaning(of code: Int32) -> (kind: SQLError.Kind, advice: String) {
    // Extended codes are the primary one, with more in the bits above the first eight.
    switch (code, code & 0xff) {
    case (2067, _), (1555, _): return (.uniqueViolation, "")
    case (_, SQLITE_CONSTRAINT): return (.constraintViolation, "")
    case (517, _): return (.conflict, "begin the transaction again")
    case (_, SQLITE_BUSY), (_, SQLITE_LOCKED):
      return (.busy, "another connection holds the lock; busyMsMax bounds how long it is waited for")
    case (_, SQLITE_INTERRUPT): return (.timeout, "")
    case (_, SQLITE_CANTOPEN): return (.unreachable, "does the folder exist, and may this process write to it?")
    case (_, SQLITE_PERM), (_, SQLITE_AUTH): return (.authentication, "")
    case (_, SQLITE_READONLY): return (.statement, "may this process write to the file and its folder?")
    case (_, SQLITE_FULL): return (.resources, "make room on the disk")
    case (_, SQLITE_NOMEM), (_, SQLITE_TOOBIG): return (.resources, "")
    case (_, SQLITE_IOERR): return (.storage, "look into the kernel's log for the disk")
    case (_, SQLITE_CORRUPT), (_, SQLITE_NOTADB): return (.storage, "the file is damaged, or is no database")
    case (_, SQLITE_MISMATCH), (_, SQLITE_RANGE): return (.value, "")
    case (_, SQLITE_ERROR), (_, SQLITE_SCHEMA): return (.statement, "")
    default: return (.other, "")
    }
  }

  /// The names of the codes that programs decide by; others are shown by number.
  static func name(of code: Int32) -> String {
    switch code {
    case 2067: return "SQLITE_CONSTRAINT_UNIQUE"
    case 1555: return "SQLITE_CONSTRAINT_PRIMARYKEY"
    case 1299: return "SQLITE_CONSTRAINT_NOTNULL"
    case 787: return "SQLITE_CONSTRAINT_FOREIGNKEY"
    case 275: return "SQLITE_CONSTRAINT_CHECK"
    case 517: return "SQLITE_BUSY_SNAPSHOT"
    default: break
    }
    switch code & 0xff {
    case SQLITE_ERROR: return "SQLITE_ERROR"
    case SQLITE_BUSY: return "SQLITE_BUSY"
    case SQLITE_LOCKED: return "SQLITE_LOCKED"
    case SQLITE_READONLY: return "SQLITE_READONLY"
    case SQLITE_CANTOPEN: return "SQLITE_CANTOPEN"
    case SQLITE_FULL: return "SQLITE_FULL"
    case SQLITE_IOERR: return "SQLITE_IOERR"
    case SQLITE_CORRUPT: return "SQLITE_CORRUPT"
    case SQLITE_NOTADB: return "SQLITE_NOTADB"
    default: return "SQLITE \(code)"
    }
  }
}
