internal import KafkaProtocol
internal import Primitives

/// A consumer without a group's company: commits offsets that grow, and asks for them (G2).
final class OffsetKeeper: GroupClient {
  private var next: Int64 = 0
  private var acknowledged = TermedBound()
  /// Commits of which nobody told what became of them.
  private var doubtful: Set<Int64> = []
  private var isStopping = false
  private var isAsking = false

  override var isDone: Bool { !isAsking }

  func start() { step() }
  func stop() { isStopping = true }

  private func step() {
    guard !isStopping else { return }
    isAsking = true
    if random.chance(percent: 60) { commit() } else { fetch() }
  }

  private func again() {
    isAsking = false
    call(inMs: 20 + random.below(150)) { [unowned self] in step() }
  }

  private func commit() {
    next += 1
    let offset = next
    doubtful.insert(offset)
    let request = OffsetCommitRequest(
      groupId: group,
      topics: [.init(name: ClusterSimulator.topic, partitions: [.init(partitionIndex: 0, committedOffset: offset)])])
    ask(.offsetCommit(request), version: 8) { [weak self] response in
      guard let self else { return }
      defer { again() }
      guard case .offsetCommit(let body)? = response, let code = body.topics.first?.partitions.first?.errorCode else {
        return
      }
      guard code == .none else { return forgetCoordinator() }
      doubtful.remove(offset)
      acknowledged.note(offset, in: answerTerms.upperBound)
    }
  }

  private func fetch() {
    let known = acknowledged
    let request = OffsetFetchRequest(
      groups: [.init(groupId: group, topics: [.init(name: ClusterSimulator.topic, partitionIndexes: [0])])])
    ask(.offsetFetch(request), version: 8) { [weak self] response in
      guard let self else { return }
      defer { again() }
      guard case .offsetFetch(let body)? = response, let found = body.groups.first else { return }
      let part = found.topics.first?.partitions.first
      guard found.errorCode == .none, let part, part.errorCode == .none else { return forgetCoordinator() }
      guard let known = known.known(in: answerTerms.lowerBound), part.committedOffset < known,
        !doubtful.contains(part.committedOffset)
      else { return }
      simulator.checkers.clients.lostCommit(group, log, found: part.committedOffset, known: known)
    }
  }
}
