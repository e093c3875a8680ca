import Primitives

/// Where partitions shall be: those that change, in order.
struct ReplicaPlan: Equatable {
  struct Move: Equatable {
    let partition: TopicPartition
    let from: [Int32]
    let to: [Int32]

    /// Whether records have to be copied: an order alone is changed at once.
    var copies: Bool { !Set(to).subtracting(from).isEmpty }
  }

  let moves: [Move]

  var targets: [TopicPartition: [Int32]?] {
    Dictionary(uniqueKeysWithValues: moves.map { ($0.partition, $0.to) })
  }

  /// In Kafka's own form for reassignments.
  var json: JSON {
    .object([
      ("version", .integer(Int64(1))),
      (
        "partitions",
        .array(
          moves.map { move in
            .object([
              ("topic", .string(move.partition.topic)), ("partition", .integer(move.partition.partition)),
              ("replicas", .array(move.to.map { .integer($0) })),
              ("before", .array(move.from.map { .integer($0) })),
            ])
          })
      ),
    ])
  }

  func showText() {
    var table = TextTable("TOPIC", "PARTITION", "FROM", "TO")
    for move in moves {
      table.add(
        move.partition.topic, "\(move.partition.partition)", move.from.map { "\($0)" }.joined(separator: ","),
        move.to.map { "\($0)" }.joined(separator: ","))
    }
    table.show(whenEmpty: "nothing to move: everything is there already")
  }
}

/// Why no plan can be made.
struct UnplannableError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
