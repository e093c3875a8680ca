import Groups
import KafkaProtocol
import Primitives
import Testing

/// One client of the walk: what it believes, and what it waits for.
struct WalkingClient {
  let instance: String?
  var memberID = ""
  var generation: Int32 = -1
  var leads = false
  var members: [String] = []
  /// It has no generation, or was told that the group rebalances.
  var isOut = true
  var join: RequestToken?
  var sync: RequestToken?
}

/// Clients that do whatever comes to mind, in any order, and what must hold all the same.
struct RandomWalk {
  var random: SeededRandom
  let driver: GroupDriver
  let group = "g"
  var clients: [WalkingClient]
  /// Per generation: what its leader gave to each member.
  var given: [Int32: [String: [UInt8]]] = [:]
  /// Per generation: the leader all were told of.
  var leaders: [Int32: String] = [:]
  var highestGeneration: Int32 = 0
  var highestGenerationEver: Int32 = 0
  var acknowledged: Int64 = -1
  var nextOffset: Int64 = 0
  /// How much the comparisons with a loaded coordinator saw: a walk in which nothing happens proves nothing.
  var comparedMemberCount = 0

  init(seed: UInt64) {
    random = SeededRandom(state: seed)
    driver = GroupDriver(GroupConfig(groupMaxSize: 4), seed: seed)
    clients = [nil, nil, nil, "i1", "i2", nil].map { WalkingClient(instance: $0) }
  }

  mutating func run(steps: Int) {
    for number in 0..<steps {
      step()
      if number % 8 == 0 { compareWithALoadedCoordinator() }
      for index in clients.indices { takeAnswers(index) }
    }
    // The clients are gone: whatever waits is answered, and the group ends (G4).
    driver.failsAppends = false
    driver.advance(ms: 3_600_000)
    for index in clients.indices { takeAnswers(index) }
    #expect(driver.parked.isEmpty, "never answered: \(driver.parked.map(\.value))")
    #expect(["Empty", "Dead"].contains(driver.describe(group).groupState))
    #expect(driver.committed(group: group) == acknowledged)
    #expect(comparedMemberCount > 0 && highestGenerationEver > 2)
  }

  private mutating func step() {
    let index = Int.random(in: 0..<clients.count, using: &random)
    let client = clients[index]
    switch Int.random(in: 0..<400, using: &random) {
    case 0..<100:
      // Seldom a client joins without need: a rebalance, or a second join of one whose connection broke.
      let isWilful = Int.random(in: 0..<30, using: &random) == 0
      if client.sync == nil && (client.isOut && client.join == nil || isWilful) { join(index) }
    case 100..<200: if client.join == nil { sync(index) }
    case 200..<270: if client.join == nil { heartbeat(index) }
    case 270..<310: commit(client)
    case 310..<390: driver.advance(ms: Int64.random(in: 1..<1_500, using: &random))
    case 390..<393:
      _ = driver.leave([.init(memberId: client.memberID, groupInstanceId: client.instance)], group: group)
    case 393..<396: forget(index)
    case 396: driver.advance(ms: Int64.random(in: 1..<70_000, using: &random))
    case 397: loseCoordinator { $0.failOver(GroupConfig(groupMaxSize: 4)) }
    case 398: failNextAppend(index)
    default: _ = driver.heartbeat("stranger", generation: 1, group: group)
    }
  }

  private mutating func heartbeat(_ index: Int) {
    let client = clients[index]
    switch driver.heartbeat(client.memberID, generation: client.generation, group: group, instance: client.instance) {
    case ErrorCode.none?: break
    case .rebalanceInProgress?, .illegalGeneration?: clients[index].isOut = true
    default: forget(index)
    }
  }

  private mutating func join(_ index: Int) {
    let client = clients[index]
    let versions: [Int16] = client.instance == nil ? [3, 4, 9] : [5, 8, 9]
    let protocols = [["range"], ["range", "sticky"], ["sticky", "range"]].randomElement(using: &random) ?? []
    clients[index].join = driver.join(
      client.memberID, group: group, instance: client.instance, protocols: protocols,
      topics: Bool.random(using: &random) ? ["orders"] : ["payments"],
      sessionMs: Int32.random(in: 6_000..<20_000, using: &random),
      rebalanceMs: Int32.random(in: 3_000..<30_000, using: &random),
      version: versions.randomElement(using: &random) ?? 9)
  }

  private mutating func sync(_ index: Int) {
    let client = clients[index]
    var assignments: [String: [UInt8]] = [:]
    if client.leads {
      for member in client.members where Bool.random(using: &random) {
        assignments[member] = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
      }
    }
    let wasAwaited = driver.describe(group).groupState == "CompletingRebalance"
    let token = driver.sync(
      client.memberID, generation: client.generation, group: group, instance: client.instance,
      assignments: assignments, version: 3)
    clients[index].sync = token
    // Only the leader's first is answered at once: what it says a second time does not count.
    if wasAwaited, driver.synced(token)?.errorCode == ErrorCode.none { given[client.generation] = assignments }
  }

  private mutating func commit(_ client: WalkingClient) {
    nextOffset += 1
    let codes = driver.commit(
      nextOffset, member: client.memberID, generation: client.generation, group: group, instance: client.instance)
    if codes == [.none] { acknowledged = nextOffset }
    #expect(driver.committed(group: group) == acknowledged)
  }

  /// The client's process ends; another takes its place and knows nothing.
  private mutating func forget(_ index: Int) { clients[index] = WalkingClient(instance: clients[index].instance) }

  /// A generation that was never stored may come again after this: the checks begin anew.
  private mutating func loseCoordinator(_ lose: (GroupDriver) -> Void) {
    for index in clients.indices { takeAnswers(index) }
    lose(driver)
    for index in clients.indices { takeAnswers(index) }
    leaders = [:]
    highestGeneration = 0
  }

  private mutating func failNextAppend(_ index: Int) {
    driver.failsAppends = true
    if Bool.random(using: &random) { sync(index) } else { join(index) }
    driver.failsAppends = false
    loseCoordinator { $0.failOver(GroupConfig(groupMaxSize: 4)) }
  }

  /// What the log says is what is: another coordinator that loads it answers alike.
  private mutating func compareWithALoadedCoordinator() {
    let other = GroupDriver(log: driver.log, nowMs: driver.nowMs)
    #expect(other.committed(group: group) == driver.committed(group: group))
    let live = driver.describe(group)
    if live.groupState == "Stable" {
      comparedMemberCount += live.members.count
      #expect(other.describe(group) == live)
    }
  }

  private mutating func takeAnswers(_ index: Int) {
    if let token = clients[index].join, let response = driver.joined(token) {
      clients[index].join = nil
      takeJoin(response, index)
    }
    if let token = clients[index].sync, let response = driver.synced(token) {
      clients[index].sync = nil
      if response.errorCode == ErrorCode.none {
        checkAssignment(response.assignment, clients[index])
      } else {
        clients[index].isOut = true
      }
    }
  }

  private mutating func takeJoin(_ response: JoinGroupResponse, _ index: Int) {
    switch response.errorCode {
    case .none:
      let told = response.leader.hasPrefix("i") ? String(response.leader.prefix(2)) : response.leader
      #expect(leaders[response.generationId, default: told] == told, "two leaders of one generation")
      leaders[response.generationId] = told
      #expect(response.generationId >= highestGeneration, "generations go back")
      highestGeneration = max(highestGeneration, response.generationId)
      highestGenerationEver = max(highestGenerationEver, highestGeneration)
      #expect(response.members.isEmpty || response.leader == response.memberId, "a follower is told the members")
      #expect(response.members.count <= 6)
      clients[index].isOut = false
      clients[index].memberID = response.memberId
      clients[index].generation = response.generationId
      clients[index].leads = response.leader == response.memberId
      clients[index].members = response.members.map(\.memberId)
    case .memberIdRequired: clients[index].memberID = response.memberId
    case .unknownMemberId, .fencedInstanceId, .groupMaxSizeReached: forget(index)
    // A loaded group knows only the protocol that was chosen, not what else its members support.
    case .rebalanceInProgress, .notCoordinator, .coordinatorNotAvailable, .inconsistentGroupProtocol: break
    default: #expect(Bool(false), "joining ended in \(response.errorCode.name)")
    }
  }

  /// Each gets what its leader gave it in this generation, or nothing.
  private func checkAssignment(_ assignment: [UInt8], _ client: WalkingClient) {
    guard !assignment.isEmpty else { return }
    let owners = given[client.generation]?.filter { $0.value == assignment }.keys.sorted() ?? []
    let isOwn = owners.contains { $0 == client.memberID || (client.instance.map($0.hasPrefix) ?? false) }
    #expect(isOwn, "\(client.memberID) got what \(owners) was given in generation \(client.generation)")
  }
}

@Suite struct RandomWalkTests {
  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func holdsWhateverClientsDo(seed: UInt64) {
    var walk = RandomWalk(seed: seed)
    walk.run(steps: 800)
  }
}
