internal import Cluster
internal import Configuration
internal import Effects
internal import Primitives
internal import Replication
internal import Storage

/// Logs that a change of the cluster has brought and that are still to be opened: a topic may have thousands, and whoever
/// else is served by this shard does not wait for all of them.
///
/// A partition is `.opening` until its turn has come, then here or offline. Who is to be told of the change is told when
/// all that it brought has had its turn; the order of changes is kept.
struct LogsToOpen {
  private var waiting: [Reopening.Place] = []
  private var head = 0
  /// How many have come, and how many have had their turn, ever.
  private var comeCount = 0
  private var goneCount = 0
  private var acknowledgements: [(after: Int, then: () -> Void)] = []
  /// What is left of this turn's share.
  var countLeft = 0
  var until = Instant.distantFuture
  /// The configuration of the topic whose partitions are opened, by the image that it is of.
  var config: (topicID: UUID, image: Offset, config: TopicConfig)?

  var isEmpty: Bool { goneCount == comeCount }

  mutating func add(_ place: Reopening.Place) {
    comeCount += 1
    waiting.append(place)
  }

  mutating func takeFirst() -> Reopening.Place? {
    guard head < waiting.count else { return nil }
    defer {
      head += 1
      goneCount += 1
      if head == waiting.count {
        waiting.removeAll()
        head = 0
      }
    }
    return waiting[head]
  }

  mutating func acknowledge(_ then: @escaping () -> Void) { acknowledgements.append((comeCount, then)) }

  /// Takes out whom to tell now.
  mutating func takeAcknowledgements() -> [() -> Void] {
    guard let first = acknowledgements.first, first.after <= goneCount else { return [] }
    let due = acknowledgements.prefix { $0.after <= goneCount }
    acknowledgements.removeFirst(due.count)
    return due.map(\.then)
  }
}

extension Shard {
  /// So many logs are opened in a turn at most, and none is begun after so long.
  private static let openCountMax = 32
  private static let openNanoseconds: Int64 = 2_000_000

  /// A new turn has its own share.
  func renewOpeningShare() {
    logsToOpen.countLeft = Self.openCountMax
    logsToOpen.until = .distantFuture
  }

  /// Whether this turn may open one more.
  private var mayOpen: Bool {
    guard logsToOpen.countLeft > 0, !isStopping else { return false }
    let time = environment.time.now()
    // The clock runs from the first one on: what else the turn did is not held against it.
    if logsToOpen.until == .distantFuture {
      logsToOpen.until = Instant(nanoseconds: time.nanoseconds &+ Self.openNanoseconds)
    }
    return time < logsToOpen.until
  }

  /// Opens what waits, as far as this turn's share goes.
  func openSome() {
    guard !logsToOpen.isEmpty else { return }
    while mayOpen, let place = logsToOpen.takeFirst() { openWaiting(place) }
    for then in logsToOpen.takeAcknowledgements() { then() }
    // One that the start had brought may have been the last.
    if startMode.wasCleanShutdown || opening.isSynced { haveToldRecoveryPoints() }
  }

  /// Opens a log that has waited; what has gone or been opened meanwhile is none any more.
  private func openWaiting(_ place: Reopening.Place) {
    guard let routed = topicsByID[place.topicID], case .opening? = routed.place(place.partition),
      let topic = image.topic(id: place.topicID), let partition = topic.partition(place.partition)
    else { return }
    logsToOpen.countLeft -= 1
    routed.places[Int(place.partition)] = open(topic, place.partition, partition, configuration(of: topic))
    lastTopic = nil
    forgetLines()
    compareLost(place)
  }

  private func configuration(of topic: TopicImage) -> TopicConfig {
    if let known = logsToOpen.config, known.topicID == topic.id, known.image == image.offset { return known.config }
    let made = config.topicConfig(overrides: topic.configs)
    logsToOpen.config = (topic.id, image.offset, made)
    return made
  }

  /// The place of a partition that somebody asks for: its log is opened first where it still waits, as long as the turn's
  /// share lasts. Beyond that the partition is not here yet.
  func ready(_ place: PartitionPlace, _ topicID: UUID, _ partition: Int32) -> PartitionPlace {
    guard case .opening = place, mayOpen else { return place }
    openWaiting(Reopening.Place(topicID: topicID, partition: partition))
    return topicsByID[topicID]?.place(partition) ?? place
  }

  /// Calls `then` when all that the images so far have brought is open, or cannot be opened.
  func whenOpened(_ then: @escaping () -> Void) {
    if logsToOpen.isEmpty { then() } else { logsToOpen.acknowledge(then) }
  }
}
