/// A handler's error, and what to do with it.
struct Failure: Sendable {
  let error: any Error
  let kind: ErrorKind
  /// The type's name, as the header of a dead letter says it.
  var errorType: String { String(reflecting: type(of: error)) }
  /// The error's own words.
  var message: String { "\(error)" }
}
