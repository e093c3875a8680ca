internal import Primitives

/// The records of a decision in the making, and the image as they leave it: the second topic of a request is checked
/// against the first.
struct Plan {
  private(set) var image: ClusterImage
  private(set) var records: [MetadataRecord] = []

  init(_ image: ClusterImage) { self.image = image }

  mutating func add(_ record: MetadataRecord) {
    image.replay(record, at: image.nextOffset)
    records.append(record)
  }

  mutating func add(_ records: [MetadataRecord]) {
    for record in records { add(record) }
  }

  /// The decision: the answer alone when the request was only to be validated.
  func decision(
    validateOnly: Bool = false, _ reply: ControllerReply
  ) -> Decision<MetadataRecord, ControllerReply> {
    Decision(records: validateOnly ? [] : records, reply: reply)
  }
}

/// The members of a request's list that stand in it more than once.
func repeatedMembers<Member: Hashable>(of list: some Sequence<Member>) -> Set<Member> {
  var seen: Set<Member> = []
  var repeated: Set<Member> = []
  for member in list where !seen.insert(member).inserted { repeated.insert(member) }
  return repeated
}
