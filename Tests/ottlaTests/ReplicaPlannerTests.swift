import Primitives
import Testing

@testable import ottla

@Suite("ReplicaPlanner")
struct ReplicaPlannerTests {
  private func plan(
    _ partitions: [ClusterView.Partition], on brokers: [ClusterView.Broker], replicationFactor: Int? = nil,
    leaving: Set<Int32>? = nil, isBalanced: Bool = true
  ) throws -> [[Int32]] {
    let plan = try ReplicaPlanner.plan(
      partitions, on: brokers, leaving: leaving, replicationFactor: replicationFactor, isBalanced: isBalanced)
    let targets = Dictionary(uniqueKeysWithValues: plan.moves.map { ($0.partition, $0.to) })
    for move in plan.moves { #expect(move.from != move.to) }
    return partitions.map { targets[$0.name] ?? $0.replicas }
  }

  private func counts(_ targets: [[Int32]]) -> [Int32: Int] {
    targets.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  @Test("one node becomes three: every broker gets as much, and leads as much")
  func growing() throws {
    let one = (0..<9).map { partition("t", Int32($0), [1]) }
    let three = try plan(one, on: brokers(1...3), replicationFactor: 3)
    #expect(three.allSatisfy { Set($0) == [1, 2, 3] })
    #expect(counts(three.map { [$0[0]] }) == [1: 3, 2: 3, 3: 3])
    let spread = try plan(one, on: brokers(1...3))
    #expect(counts(spread) == [1: 3, 2: 3, 3: 3])
  }

  @Test("what is spread already stays where it is")
  func stable() throws {
    let good = [partition("t", 0, [1, 2]), partition("t", 1, [2, 3]), partition("t", 2, [3, 1])]
    #expect(try plan(good, on: brokers(1...3)) == good.map(\.replicas))
  }

  @Test("a broker that leaves gives its replicas to those with least, and nothing else moves")
  func leaving() throws {
    let before = (0..<6).map { partition("t", Int32($0), $0 % 2 == 0 ? [1, 2] : [3, 2]) }
    let after = try plan(before, on: brokers(1...4).filter { $0.id != 1 }, leaving: [1], isBalanced: false)
    for (old, new) in zip(before, after) {
      if old.replicas.contains(1) { #expect(new == [2, 4]) } else { #expect(new == old.replicas) }
    }
  }

  @Test("replicas that are kept may be on brokers that receive nothing")
  func keptElsewhere() throws {
    let after = try plan([partition("t", 0, [1, 2, 3])], on: brokers(4...4), leaving: [1], isBalanced: false)
    #expect(after == [[2, 3, 4]])
  }

  @Test("the replicas of a partition are in as many racks as there are")
  func racks() throws {
    let racks: [Int32: String] = [1: "a", 2: "a", 3: "b", 4: "b"]
    let before = (0..<8).map { partition("t", Int32($0), [1]) }
    for isBalanced in [true, false] {
      for target in try plan(
        before, on: brokers(1...4, racks: racks), replicationFactor: 2, isBalanced: isBalanced)
      {
        #expect(Set(target.map { racks[$0] }) == ["a", "b"])
      }
    }
  }

  @Test("fewer replicas: those out of sync go first, the preferred leader stays")
  func shrinking() throws {
    let before = [partition("t", 0, [3, 2, 1], isr: [3, 1])]
    #expect(try plan(before, on: brokers(1...3), replicationFactor: 2, isBalanced: false) == [[3, 1]])
    #expect(try plan(before, on: brokers(1...3), replicationFactor: 1, isBalanced: false) == [[3]])
  }

  @Test("too few brokers are named")
  func tooFew() {
    #expect {
      try plan([partition("t", 0, [1])], on: brokers(1...2), replicationFactor: 3)
    } throws: { "\($0)" == "t-0 needs 3 replicas, and there are too few brokers to keep them: 1, 2" }
  }

  @Test("any cluster: the count is right, nobody twice, only who may, and balanced to one", arguments: 0..<200)
  func properties(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let brokerCount = Int32.random(in: 1...6, using: &random)
    let all = brokers(1...brokerCount)
    let partitions = (0..<Int32.random(in: 1...20, using: &random)).map { number in
      let count = Int.random(in: 1...Int(brokerCount), using: &random)
      return partition("t", number, Array((1...brokerCount).shuffled(using: &random).prefix(count)))
    }
    let factor = Int.random(in: 1...Int(brokerCount), using: &random)
    let targets = try plan(partitions, on: all, replicationFactor: factor)
    for target in targets {
      #expect(target.count == factor && Set(target).count == factor)
      #expect(target.allSatisfy { (1...brokerCount).contains($0) })
    }
    let loads = (1...brokerCount).map { counts(targets)[$0] ?? 0 }
    #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1, "\(loads)")
    #expect(try plan(partitions, on: all, replicationFactor: factor) == targets)
  }
}

/// Randomness with a seed.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
