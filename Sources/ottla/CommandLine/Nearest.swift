/// The word of `known` that was probably meant by `word`: at most two letters wrong, and not all of them.
func nearest(to word: String, among known: [String]) -> String? {
  let ranked = known.map { ($0, editDistance(Array(word), Array($0))) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
  guard let (candidate, distance) = ranked.first, distance <= 2, distance < candidate.count else { return nil }
  return candidate
}

/// How many letters must be put in, taken out or replaced to make one word of the other.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
  var previous = Array(0...right.count)
  for (row, letter) in left.prefix(64).enumerated() {
    var current = [row + 1]
    for (column, other) in right.enumerated() {
      current.append(min(previous[column] + (letter == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
    }
    previous = current
  }
  return previous[right.count]
}
