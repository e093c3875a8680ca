/// The name of a consumer group: `group.id`.
package struct GroupID: Hashable, Comparable, Sendable {
  package let text: String
  package init(_ text: String) { self.text = text }
  package static func < (left: GroupID, right: GroupID) -> Bool { left.text < right.text }
}

/// The name the coordinator gave to one member of a group; a restarted client gets another.
package struct MemberID: Hashable, Comparable, Sendable {
  package let text: String
  package init(_ text: String) { self.text = text }

  /// The empty id of a client that has not been given one (Kafka's UNKNOWN_MEMBER_ID).
  package static let unknown = MemberID("")
  package var isUnknown: Bool { text.isEmpty }

  package static func < (left: MemberID, right: MemberID) -> Bool { left.text < right.text }

  private static let prefixMaxBytes = 1_000

  /// A new id, `<prefix>-<uuid>`: the prefix is the client id, or the instance id of a static member; cut where it is so
  /// long that the id would not fit a record.
  package static func make(prefix: String, random: () -> UInt64) -> MemberID {
    let high = (random() & 0xffff_ffff_ffff_0fff) | 0x4000
    let low = (random() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
    let digits = Array("0123456789abcdef".utf8)
    var text = Array(prefix.utf8.prefix(prefixMaxBytes))
    text.reserveCapacity(text.count + 37)
    text.append(UInt8(ascii: "-"))
    for position in 0..<32 {
      if position == 8 || position == 12 || position == 16 || position == 20 { text.append(UInt8(ascii: "-")) }
      let word = position < 16 ? high : low
      text.append(digits[Int((word >> UInt64(60 - 4 * (position % 16))) & 15)])
    }
    return MemberID(String(decoding: text, as: UTF8.self))
  }
}

/// The name a static member keeps over restarts: `group.instance.id` (KIP-345).
package struct InstanceID: Hashable, Sendable {
  package let text: String
  package init(_ text: String) { self.text = text }
}

/// The number of a group's rebalance: grows by one at each, fences requests of earlier ones.
package struct Generation: Hashable, Comparable, Sendable {
  package let value: Int32
  package init(_ value: Int32) { self.value = value }
  /// What a client sends that is no member: -1.
  package static let none = Generation(-1)
  package static func < (left: Generation, right: Generation) -> Bool { left.value < right.value }

  /// The next generation. Wraps as Kafka's does: the number before it may come from a file.
  package var next: Generation { Generation(value &+ 1) }
}
