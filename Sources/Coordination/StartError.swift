package import Effects

/// Why a broker must not start on the files it found. `description` is for the operator.
package enum StartError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The machine refused an operation.
  case io(IOError)
  /// A file is damaged where a power cut cannot have damaged it.
  case damaged(path: String, position: Int, reason: String)
  /// A file is larger than it can be.
  case tooLarge(path: String, byteCount: Int64, byteCountMax: Int64)
  /// An identity file does not fit the configuration, or another folder's.
  case identityMismatch(path: String, reason: String)

  /// What is wrong with which file, and what to do.
  package var description: String {
    switch self {
    case .io(let error):
      "\(error)"
    case .damaged(let path, let position, let reason):
      "\(path) is damaged at byte \(position): \(reason). Restore the file from a backup; "
        + "starting without what follows would lose topics."
    case .tooLarge(let path, let byteCount, let byteCountMax):
      "\(path) has \(byteCount) bytes; at most \(byteCountMax) are read."
    case .identityMismatch(let path, let reason):
      "\(path): \(reason)"
    }
  }
}
