/// Something that only grows, as far as it was known in each term of the log that keeps it.
///
/// A coordinator that was deposed and does not know it may show what was true in its own term, as in Kafka: the protocol of
/// groups has no terms. It may show no less than that.
struct TermedBound {
  private var most: [Int32: Int64] = [:]

  /// - Parameter term: the term in which it was acknowledged, or a later one.
  mutating func note(_ value: Int64, in term: Int32) { most[term] = max(most[term] ?? value, value) }

  /// What a coordinator of that term must know; nil for nothing.
  func known(in term: Int32) -> Int64? { most.filter { $0.key <= term }.map(\.value).max() }
}
