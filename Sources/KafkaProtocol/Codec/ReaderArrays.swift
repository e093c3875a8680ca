extension Reader {
  /// - Parameters:
  ///   - minimum: the fewest bytes an element can take on the wire.
  ///   - element: reads one.
  @inlinable @inline(__always)
  package mutating func array<Element>(
    compact: Bool, minimum: Int, _ element: (inout Reader) -> Element
  ) -> [Element] {
    let count = longLength(compact: compact)
    if count == -1 { return missing([]) }
    return elements(count, minimum: minimum, element)
  }

  /// - Parameters:
  ///   - minimum: the fewest bytes an element can take on the wire.
  ///   - allowed: whether this version allows null.
  ///   - element: reads one.
  @inlinable @inline(__always)
  package mutating func nullableArray<Element>(
    compact: Bool, minimum: Int, allowed: Bool = true, _ element: (inout Reader) -> Element
  ) -> [Element]? {
    let count = longLength(compact: compact)
    if count == -1 { return allowed ? nil : missing([]) }
    return elements(count, minimum: minimum, element)
  }

  @inlinable @inline(__always)
  mutating func elements<Element>(_ count: Int, minimum: Int, _ element: (inout Reader) -> Element) -> [Element] {
    guard count > 0, charge(count, minimum: minimum, stride: MemoryLayout<Element>.stride) else {
      if count < 0 { fail(.badLength) }
      return []
    }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count {
      elements.append(element(&self))
      if failure != nil { return [] }
    }
    return elements
  }

  /// Whether `count` elements can be there at all, and still fit into the budget: which is charged with them.
  @inlinable mutating func charge(_ count: Int, minimum: Int, stride: Int) -> Bool {
    let (least, tooMany) = count.multipliedReportingOverflow(by: minimum)
    guard !tooMany, least <= remaining else {
      fail(.badLength)
      return false
    }
    let (cost, tooDear) = count.multipliedReportingOverflow(by: stride)
    guard !tooDear, cost <= budget else {
      fail(.budgetExceeded)
      return false
    }
    budget &-= cost
    return true
  }
}
