/// Why bytes are not the message they were taken for.
package enum DecodeError: Error, Hashable, Sendable {
  /// The bytes end inside a field.
  case truncated
  /// A length or count that no message can have: negative, or more than the bytes that follow.
  case badLength
  /// Null where the version does not allow it.
  case unexpectedNull
  /// A varint of more than five bytes, or of more than 32 bits.
  case badVarint
  /// A tagged field that is longer or shorter than it says.
  case badTaggedField
  /// The arrays would take more memory than the reader was given.
  case budgetExceeded
  /// A version outside those of the message.
  case unsupportedVersion
}
