internal import Cluster
package import Configuration
package import Effects
internal import Groups
internal import KafkaProtocol
package import Observability
package import Primitives
internal import Records
internal import Replication
internal import Storage

/// What surrounds a shard.
package struct ShardEnvironment {
  package let time: any TimeSource
  package let random: any RandomSource
  package let fileSystem: any FileSystem
  package let logger: Logger
  package let transport: any Transport
  package let links: any ShardLinks
  package let disk: any DiskWorkers
  /// The broker cannot go on: it is to be stopped, for the reason given. Called once or more, on the controller's shard.
  package let halt: (String) -> Void
  #if DEBUG
    /// The bug of the past that this broker is to have.
    package var mutation: Mutation?
  #endif
  package init(
    time: any TimeSource, random: any RandomSource, fileSystem: any FileSystem, logger: Logger,
    transport: any Transport, links: any ShardLinks, disk: any DiskWorkers, halt: @escaping (String) -> Void
  ) {
    self.time = time
    self.random = random
    self.fileSystem = fileSystem
    self.logger = logger
    self.transport = transport
    self.links = links
    self.disk = disk
    self.halt = halt
  }
}

/// One core's part of the broker: some connections, some partitions, some coordinators. One thread owns it.
///
/// Inputs come as calls (`opened`, `received`, `writable`, `closed`, `deliver`), each runs to completion, and what
/// follows leaves through the transport and the links. Nothing here waits.
///
/// A turn: the event loop calls `beginTurn`, hands over what has arrived, then calls `endTurn`, which writes what the turn
/// appended (one system call a partition), releases the answers that waited for it, and sends.
package final class Shard {
  package let index: Int
  package let count: Int
  let environment: ShardEnvironment
  /// This broker's number.
  let brokerID: BrokerID

  /// The configuration in force: what the broker was started with, and the dynamic values of the cluster image over it.
  package internal(set) var config: BrokerConfig
  let startConfig: BrokerConfig
  let startMode: StartMode
  /// What the checkpoint files of each folder are to say, on the shard that keeps them.
  var checkpoints: [FolderCheckpoints]
  /// Where logs ended that `stop` closed in order.
  package private(set) var closedEnds: [TopicPartition: Offset] = [:]
  /// Folders of deleted partitions, renamed and waiting for their removal.
  var deletedFolders: [String]
  var image: ClusterImage
  var topicsByName: [String: RoutedTopic] = [:]
  var topicsByID: [UUID: RoutedTopic] = [:]
  /// The topic that was produced to last; forgotten with every change of the cluster.
  var lastTopic: RoutedTopic?

  var connections: [Connection?] = []
  var closingLine = RepeatedLine()
  var impostorLine = RepeatedLine()
  var fetchFailsLine = RepeatedLine()
  var openConnectionCount = 0
  var flushList: [Connection] = []
  var resumeList: [Connection] = []
  /// Connections in the middle of a file, which go on with the next turn.
  var sendingList: [Connection] = []
  var buffers: [OutputBuffer] = []
  /// The connections to other brokers, and those of them that are connected or about to be.
  var peers: [PeerKey: Peer] = [:]
  var peersByConnection: [ConnectionID: Peer] = [:]
  var peerFlushList: [Peer] = []
  /// Requests to other brokers whose failure nobody has been told yet.
  var peerFailures: [FailedPeerRequest] = []
  var peerLine = RepeatedLine()
  /// Bytes of requests held in `Connection.input`.
  var requestBytesHeld = 0
  let requestBytesHeldMax: Int
  /// Who may not read on before others have given memory back, and when patience with them ends.
  var memoryWaiters: [Connection] = []
  var memoryTimer: TimerID?
  static let memoryShortageMsMax: Int64 = 5000

  var timers: TimerWheel<ShardTimer>
  /// The clocks as of the start of this turn: one reading serves all that the turn does.
  var now: Instant
  var wallClock: Timestamp

  let validator = BatchValidator()
  let decompressor = Decompressor()
  let logEnvironment: LogEnvironment
  /// How each folder of log.dirs is doing.
  package internal(set) var folders: [FolderHealth]
  /// What the last look at each folder's file system found, on the shard that looks.
  var usableBytes: [Int: Int64] = [:]
  var isSpaceMoving = true
  /// Jobs for the disk threads that are under way.
  var diskJobs: [DiskToken: (DiskResult) -> Void] = [:]
  var diskJobCount: UInt64 = 0
  /// Logs whose flush starts at the end of this turn.
  var logsToFlush: [HostedPartition] = []
  /// How many open files the flushes that run hold.
  var filesBeingFlushed = 0
  /// A part of ottla.open.files.max.
  let filesBeingFlushedMax: Int
  /// Logs with bytes that are not on the disk yet, as far as the clock has looked.
  var unflushedLogs: [HostedPartition] = []
  /// Partitions led here of which others may have come into sync, or out of it.
  var isrList: [HostedPartition] = []
  var hasIsrTimer = false
  /// The broker gives its leadership away and stops then.
  var isLeaving = false
  var leaving: Leaving?
  /// What follows other brokers, by the leader.
  var fetchers: [BrokerID: Fetching] = [:]
  var hasFetchersTimer = false
  /// Whether partitions wait until the rate of throttled replicas allows them to be fetched.
  var hasHeldBack = false
  /// Which registration of this broker its partitions have taken their roles by; nil before the first.
  var roledBy: BrokerRegistration?
  /// The log that is being cleaned.
  var cleaning: Cleaning?
  /// What waits for the end of a cleaning that a deletion met.
  var deletionHolds: [() -> Void] = []
  var scrubbing: Scrubbing
  var repairing = Repairing()
  var throttling: Throttling
  var bytesFlushedSinceCheckpoint: Int64 = 0
  var recoveryPointNotes = RecoveryPointNotes()
  var opening: OpeningProgress
  var reopening = Reopening()
  var logsToOpen = LogsToOpen()
  var lostReplicas = LostReplicas()
  var heldLogs = HeldLogs()
  /// What the checkpoint files have yet to forget, on the shard that keeps them.
  var forgetting = Forgetting()
  /// The checkpoint files, on the shard that keeps them: what is to be written, and whether a writing is under way.
  var staleCheckpoints: Set<OffsetCheckpoint.Name> = []
  var unwrittenCheckpoints: Set<OffsetCheckpoint.Name> = []
  var isWritingCheckpoint = false
  /// Who waits for the next writing of one, and learns whether it went well.
  var checkpointWaits: [OffsetCheckpoint.Name: [(Bool) -> Void]] = [:]
  /// What waits for another shard to write an offset down.
  var keepWaits: [RequestToken: (Bool) -> Void] = [:]
  var dirtyPartitions: [HostedPartition] = []
  var appendWaits: [AppendWait] = []
  /// Those whose waits have deadlines, as far as the clock has looked.
  var partitionsWithDeadlines: [HostedPartition] = []
  let readScratch: UnsafeMutableRawBufferPointer

  var nextToken: UInt64 = 0
  var partitionGathers: [RequestToken: PartitionGather] = [:]
  var responseGathers: [RequestToken: ResponseGather] = [:]
  /// Requests that another shard, a coordinator or the controller is working on.
  var waitingReplies: [RequestToken: ReplyAddress] = [:]
  var controllerWaits: [RequestToken: (Result<ControllerReply, KafkaError>) -> Void] = [:]
  var fetchSessions: FetchSessionCache
  /// The partitions of this shard that each connection has waited on, of this shard or another.
  var watches: [WatchKey: [ObjectIdentifier: HostedPartition]] = [:]
  var groupHosts: [Int32: GroupHost] = [:]
  /// Coordinators that are being read, and how much of them this turn may still read.
  var groupLoads: [Int32: GroupLoad] = [:]
  var groupLoadBytesLeft = Shard.groupLoadBytesMax
  var producerIDs: Range<Int64> = 0..<0
  var producerIDWaits: [RequestContext] = []
  /// The controller, on the shard that hosts it.
  package var controllerHost: ControllerHost?
  var appliedImages: UInt64 = 0
  package private(set) var isStopping = false
  var hasDeletedFilesTimer = false

  /// The shard that hosts the controller of an elected broker.
  package static let controllerShard = 0

  /// `openFilesMax` is how many segment files all shards may hold open: where it is fewer than ottla.open.files.max.
  package init(
    index: Int, count: Int, config: BrokerConfig, startMode: StartMode, environment: ShardEnvironment,
    openFilesMax: Int = .max
  ) {
    precondition(count <= 64 && index < count, "shard \(index) of \(count)")
    self.index = index
    self.count = count
    self.environment = environment
    self.startMode = startMode
    checkpoints = startMode.checkpoints
    deletedFolders = index == Self.controllerShard ? startMode.leftoverFolders : []
    self.config = config
    startConfig = config
    folders = Array(repeating: .working(.enough), count: config.logDirs.count)
    brokerID = config.nodeId
    image = ClusterImage()
    now = environment.time.now()
    opening = OpeningProgress(saidAt: now)
    scrubbing = Scrubbing(nextRoundAt: now.advanced(byMilliseconds: Self.firstRoundMs))
    throttling = Throttling(now: now)
    wallClock = environment.time.wallClock()
    timers = TimerWheel(at: now)
    let openFiles = max(10, min(openFilesMax, Int(config.ottlaOpenFilesMax)) / count)
    filesBeingFlushedMax = max(2, openFiles / 4)
    logEnvironment = LogEnvironment(
      fileSystem: environment.fileSystem,
      handles: FileHandleCache(
        fileSystem: environment.fileSystem, openFilesMax: openFiles - filesBeingFlushedMax),
      producerCountMax: Int(config.ottlaPartitionProducersMax),
      log: { [logger = environment.logger] event in Self.report(event, to: logger) })
    requestBytesHeldMax =
      config.queuedMaxRequestBytes < 0
      ? .max : max(Int(config.queuedMaxRequestBytes) / count, Int(config.socketRequestMaxBytes))
    fetchSessions = FetchSessionCache(
      sessionsMax: Int(config.maxIncrementalFetchSessionCacheSlots), shard: index, shardCount: count)
    readScratch = .allocate(byteCount: Self.readScratchBytes, alignment: 16)
    limitReplication()
    scheduleHousekeeping()
    if !deletedFolders.isEmpty { scheduleDeletedFiles(afterMs: 1000) }
  }

  deinit { readScratch.deallocate() }

  static let readScratchBytes = 64 * 1024

  func makeToken() -> RequestToken {
    nextToken &+= 1
    return RequestToken(nextToken)
  }

  /// When the event loop must take a turn though nothing arrives; nil for never.
  package var nextDeadline: Instant? { timers.nextDeadline }

  /// Reads the clocks. The event loop calls it first when it wakes.
  package func beginTurn() {
    now = environment.time.now()
    wallClock = environment.time.wallClock()
    groupLoadBytesLeft = Self.groupLoadBytesMax
    renewOpeningShare()
  }

  /// Ends a turn of the event loop: timers, writes, releases, sends.
  ///
  /// - Returns: whether work is left that needs no further event: the loop must not sleep then.
  package func endTurn() -> Bool {
    for timer in timers.advance(to: now) { fired(timer) }
    openSome()
    loadSome()
    // What is released may start requests that waited behind it, which may append again. Bounded, for fairness to the
    // other connections: what is left comes with the next turn.
    for _ in 0..<8 {
      finishRound()
      guard !resumeList.isEmpty || !peerFailures.isEmpty else { return !sendingList.isEmpty || hasSlicesLeft }
      resumeConnections()
    }
    finishRound()
    return !resumeList.isEmpty || !sendingList.isEmpty || !peerFailures.isEmpty || hasSlicesLeft
  }

  /// Whether there is work that goes on with the next turn, a slice each.
  private var hasSlicesLeft: Bool { !isStopping && (!logsToOpen.isEmpty || !groupLoads.isEmpty) }

  private func finishRound() {
    tellPeerFailures()
    settleAppends()
    startFlushes()
    pumpFetchers()
    proposeIsrChanges()
    tellLostReplicas()
    flushConnections()
    flushPeers()
  }

  /// No request starts any more, what is parked gets an answer, and connections end when they have theirs.
  package func beginStop() {
    isStopping = true
    stopPeers()
    heldCommandsFired()
    for hosted in hostedPartitions { failLeadershipWaits(hosted) }
    for partition in groupHosts.keys.sorted() { if let host = groupHosts[partition] { answerParked(host) } }
    groupHosts.removeAll()
    groupLoads.removeAll()
    for case .some(let connection) in connections {
      if let fetch = connection.fetch, !fetch.isReading { finishFetch(connection, fetch) }
      connection.closesWhenFlushed = true
      markForFlush(connection)
    }
  }

  /// Whether every client has been answered and has taken its answers.
  package var isDrained: Bool { openConnectionCount == 0 }

  /// Closes connections and logs; the files are written, not yet synced. The shard is of no use afterwards.
  ///
  /// - Returns: whether every log was closed in order; if not, the next start must check them.
  package func stop() -> Bool {
    isStopping = true
    var isClean = true
    for case .some(let connection) in connections { close(connection, why: nil) }
    stopPeers()
    for hosted in hostedPartitions {
      do throws(LogError) {
        try hosted.partition.log.close(syncing: false)
        closedEnds[hosted.partition.topicPartition] = hosted.partition.log.logEndOffset
      } catch {
        isClean = false
        environment.logger.error("\(hosted.partition.topicPartition): closing failed: \(error)")
      }
    }
    // A log that could not be opened after an unclean stop has not been checked yet, and of what a failed folder holds
    // nothing is known.
    return isClean && !hasFailedFolder && (startMode.wasCleanShutdown || !hasOfflinePartition)
  }

  private var hasFailedFolder: Bool { folders.contains { if case .failed = $0 { true } else { false } } }

  var hasOfflinePartition: Bool {
    topicsByName.values.contains { topic in
      topic.places.contains { place in
        switch place {
        case .offline, .opening: true
        case .here, .shard, .elsewhere: false
        }
      }
    }
  }

  var hostedPartitions: [HostedPartition] {
    topicsByName.keys.sorted().flatMap { name in
      (topicsByName[name]?.places ?? []).compactMap { place in
        if case .here(let hosted) = place { hosted } else { nil }
      }
    }
  }
}

/// A connection, as the partitions that its fetches wait on know it.
struct WatchKey: Hashable {
  let shard: Int
  let connection: ConnectionID
}

/// What a shard's timers are for.
enum ShardTimer {
  case fetch(ConnectionID, sequence: UInt64)
  case idle(ConnectionID)
  case memory
  case peer(PeerKey)
  case group(Int32)
  case retention
  case producerExpiry
  case deletedFiles
  case flush
  case checkpoint
  case firstRecoveryPoints
  case space
  case clean
  case scrub
  case repair
  case reopen
  case lostReplicas
  case coordination
  case appendDeadlines
  case start(since: Instant)
  case balance
  case heldCommands
  case offsetWaits
  case leadership(Reopening.Place)
  case leave
  case cut(Reopening.Place)
  case isr
  case isrRetry(Reopening.Place)
  case fetchers
}
