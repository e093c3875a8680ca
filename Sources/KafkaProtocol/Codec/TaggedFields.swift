/// Where a walk over the tagged fields of a struct stands (KIP-482).
package struct TaggedFields {
  /// How many fields have not been entered yet.
  @usableFromInline var remainingCount: UInt32
  /// Where the field last entered ends; negative before the first.
  @usableFromInline var fieldEnd: Int

  @usableFromInline init(remainingCount: UInt32) {
    self.remainingCount = remainingCount
    fieldEnd = -1
  }
}

extension Reader {
  /// Starts a walk. A field takes two bytes at least, so that a false count costs nothing.
  @inlinable package mutating func taggedFields() -> TaggedFields {
    let count = unsignedVarint()
    guard Int(count) <= remaining / 2 else {
      fail(.badLength)
      return TaggedFields(remainingCount: 0)
    }
    return TaggedFields(remainingCount: count)
  }

  /// Leaves the present field, whether it was read or not, and enters the next; nil behind the last.
  ///
  /// What a newer version has put behind the part we know is passed over. A field that was read beyond its own end fails.
  @inlinable package mutating func nextTag(_ tags: inout TaggedFields) -> UInt32? {
    if tags.fieldEnd >= 0 {
      guard position <= tags.fieldEnd else {
        fail(.badTaggedField)
        return nil
      }
      position = tags.fieldEnd
    }
    guard tags.remainingCount > 0, failure == nil else { return nil }
    tags.remainingCount &-= 1
    let tag = unsignedVarint()
    let length = Int(unsignedVarint())
    guard failure == nil, length <= remaining else {
      fail(.truncated)
      return nil
    }
    tags.fieldEnd = position &+ length
    return tag
  }

  /// Passes over all tagged fields of a struct that knows none.
  @inlinable package mutating func skipTaggedFields() {
    if position < end, base.load(fromByteOffset: position, as: UInt8.self) == 0 {
      position &+= 1
      return
    }
    var tags = taggedFields()
    while nextTag(&tags) != nil {}
  }
}
