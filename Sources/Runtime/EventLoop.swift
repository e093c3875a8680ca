internal import Broker
internal import CLinux
internal import Configuration
internal import Effects
internal import Glibc
internal import Observability
internal import Primitives

/// One shard's thread at work: waits for sockets, mailbox and timers, hands what happened to the shard, ends the turn.
///
/// Sockets are edge-triggered, with a flag that remembers what is readable: after a read that did not fill the buffer no
/// second call asks whether there is more.
final class EventLoop: Transport, ShardLinks, DiskWorkers {
  let epoll: Int32
  private let mailboxes: [Mailbox]
  let index: Int
  private let limits: ConnectionLimits
  private let disks: DiskThreads
  private let logger: Logger
  let resolver: Resolver
  private let time: any TimeSource
  let network: NetworkSwitch?
  var sockets: [LoopSocket] = []
  /// Connections of ours that came to nothing at once: the shard learns of it with the next turn.
  var failedConnects: [ConnectionID] = []
  private var freeSlots: [Int] = []
  /// Sockets to read from though no new event will say so.
  private var readList: [ConnectionID] = []
  private var outbox: [[LoopMessage]]
  private let scratch: UnsafeMutableRawBufferPointer
  private var listeners: [Int32]
  private var nextLoop = 0
  /// As many as there are file descriptors left for beside those that logs need.
  private let connectionsMax: Int
  private var refusalLine = RepeatedLine()
  private var messageCount: UInt64 = 0
  /// A spare descriptor, given up for a moment to turn away a connection when there are no others left.
  private var spareDescriptor: Int32

  private static let eventCountMax = 512
  private static let mailboxTag = UInt64.max
  private static let listenerTag = UInt64.max - 1
  /// Bytes read from one socket in one turn before the others have theirs.
  private static let readBytesMax = 1 << 20

  init(
    index: Int, mailboxes: [Mailbox], disks: DiskThreads, resolver: Resolver, limits: ConnectionLimits, logger: Logger,
    surroundings: BrokerSurroundings, listeners: [Int32], connectionsMax: Int
  ) {
    time = surroundings.time
    network = surroundings.network
    self.resolver = resolver
    self.disks = disks
    self.connectionsMax = connectionsMax
    self.index = index
    self.mailboxes = mailboxes
    self.limits = limits
    self.logger = logger
    self.listeners = listeners
    outbox = Array(repeating: [], count: mailboxes.count)
    epoll = ottla_epoll_create()
    precondition(epoll >= 0, "the kernel refused an epoll descriptor: errno \(-epoll)")
    scratch = .allocate(byteCount: 256 * 1024, alignment: 4096)
    spareDescriptor = ottla_eventfd()
    let added = ottla_epoll_add(epoll, mailboxes[index].eventDescriptor, ottla_event_in(), Self.mailboxTag)
    precondition(added == 0, "the kernel refused to watch an eventfd: errno \(-added)")
  }

  deinit {
    for listener in listeners { _ = ottla_close(listener) }
    _ = ottla_close(spareDescriptor)
    _ = ottla_close(epoll)
    scratch.deallocate()
  }

  // MARK: the loop

  /// Runs until told to stop, and then until what was answered has been sent, or `graceMs` have passed. A loop that is killed
  /// ends where it is.
  func run(_ shard: Shard, graceMs: Int64, barrier: StopBarrier) {
    let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: Self.eventCountMax)
    defer { events.deallocate() }
    var stopDeadline: Instant?
    // What the shard began before the loop ran (loading the cluster's metadata) has messages for the others.
    var mustNotSleep = shard.endTurn()
    postOutbox()
    while true {
      let timeout = sleepMs(shard, mustNotSleep || !readList.isEmpty || !failedConnects.isEmpty, stopDeadline)
      let ready = Int(ottla_epoll_wait(epoll, events.baseAddress, Int32(Self.eventCountMax), timeout))
      mailboxes[index].wakeUp()
      shard.beginTurn()
      let again = readList
      readList.removeAll(keepingCapacity: true)
      for id in again { readAgain(id, shard) }
      tellFailedConnects(shard)
      for position in 0..<max(0, ready) { handle(events[position], shard) }
      for message in mailboxes[index].take() {
        switch message {
        case .stop:
          guard stopDeadline == nil else { continue }
          closeListeners()
          shard.beginStop()
          stopDeadline = Instant(nanoseconds: ottla_monotonic_ns()).advanced(byMilliseconds: graceMs)
        case .kill: return abandonSockets()
        default: take(message, shard)
        }
      }
      mustNotSleep = shard.endTurn()
      postOutbox()
      if let deadline = stopDeadline {
        if shard.isDrained { barrier.arrive(index) }
        if barrier.isComplete || Instant(nanoseconds: ottla_monotonic_ns()) >= deadline { break }
      }
    }
    if !shard.stop() { barrier.noteUncleanStop() }
    barrier.note(closedEnds: shard.closedEnds)
    barrier.note(brokerEpoch: shard.brokerEpoch)
  }

  /// How long to wait for events: not at all when there is work, else to the next deadline.
  private func sleepMs(_ shard: Shard, _ hasWork: Bool, _ stopDeadline: Instant?) -> Int32 {
    if hasWork { return 0 }
    guard mailboxes[index].fallAsleep() else { return 0 }
    // A stop has its time by the machine's clock, whatever the broker takes for the time.
    let untilStop = stopDeadline.map { min($0.nanoseconds - ottla_monotonic_ns(), 5_000_000) }
    let untilTimer = shard.nextDeadline.map { $0.nanoseconds - time.now().nanoseconds }
    guard let nanoseconds = [untilStop, untilTimer].compactMap({ $0 }).min() else { return -1 }
    return Int32(clamping: max(0, (nanoseconds + 999_999) / 1_000_000))
  }

  private func handle(_ event: epoll_event, _ shard: Shard) {
    switch event.data.u64 {
    case Self.mailboxTag: ottla_eventfd_clear(mailboxes[index].eventDescriptor)
    case let tag where tag > Self.listenerTag - 64 && tag <= Self.listenerTag:
      accept(Int(Self.listenerTag - tag), shard)
    case let value:
      let id = ConnectionID(slot: Int(value & 0xffff_ffff), generation: UInt32(value >> 32))
      guard isTaken(id) else { return }
      if case .connecting = sockets[id.slot].stage { finishConnect(id, shard) }
      guard isOpen(id) else { return }
      if event.events & ottla_event_out() != 0 { shard.writable(id) }
      if event.events & ottla_event_hangup() != 0 { sockets[id.slot].isHungUp = true }
      if event.events & (ottla_event_in() | ottla_event_hangup()) != 0 {
        sockets[id.slot].isReadable = true
        read(id, shard)
      }
    }
  }

  private func take(_ message: LoopMessage, _ shard: Shard) {
    if case .look(let body) = message { return body(LoopView(shard: shard, messageCount: messageCount)) }
    messageCount &+= 1
    switch message {
    case .shard(let message): shard.deliver(message)
    case .accepted(let descriptor, let box): open(descriptor, box.address, shard)
    case .disk(let token, let result): shard.diskFinished(token, result)
    case .resolved(let id, let addresses): resolved(id, addresses, shard)
    case .listen: listen()
    case .coordination: shard.pollCoordination()
    case .leave(let signal): shard.leaveCluster { signal.set() }
    case .network: applyNetwork(shard)
    case .look, .stop, .kill: break
    }
  }

  // MARK: sockets

  /// Whether the slot is still that connection's, open or not yet.
  func isTaken(_ id: ConnectionID) -> Bool {
    guard id.slot < sockets.count, sockets[id.slot].generation == id.generation else { return false }
    if case .free = sockets[id.slot].stage { return false }
    return true
  }

  /// Whether the slot is that connection's, and bytes may come and go.
  func isOpen(_ id: ConnectionID) -> Bool {
    guard id.slot < sockets.count, sockets[id.slot].generation == id.generation else { return false }
    if case .open = sockets[id.slot].stage { return true }
    return false
  }

  /// A slot for a new connection; `LoopSocket.stage` is to be set.
  func takeSlot() -> ConnectionID {
    let slot = freeSlots.popLast() ?? sockets.count
    if slot == sockets.count { sockets.append(LoopSocket()) }
    return ConnectionID(slot: slot, generation: sockets[slot].generation)
  }

  /// Has the kernel tell of a connection's socket; false where it cannot.
  func watch(_ descriptor: Int32, _ id: ConnectionID) -> Bool {
    let events = ottla_event_in() | ottla_event_out() | ottla_event_hangup() | ottla_event_edge()
    return ottla_epoll_add(epoll, descriptor, events, id.value) == 0
  }

  private func listen() {
    for (position, listener) in listeners.enumerated() {
      let added = ottla_epoll_add(epoll, listener, ottla_event_in(), Self.listenerTag - UInt64(position))
      if added != 0 { logger.error("watching listener \(position) failed: errno \(-added)") }
    }
  }

  private func closeListeners() {
    for listener in listeners { _ = ottla_close(listener) }
    listeners.removeAll()
  }

  /// Accepts what waits, and deals it out to the loops in turn.
  private func accept(_ listener: Int, _ shard: Shard) {
    let config = shard.config
    guard listeners.indices.contains(listener) else { return }
    for _ in 0..<64 {
      var connection = ottla_connection()
      let descriptor = ottla_accept(listeners[listener], &connection)
      if descriptor == -EMFILE || descriptor == -ENFILE { return turnAway(listener) }
      guard descriptor >= 0 else { return }
      guard network?.takesConnections ?? true else {
        _ = ottla_close(descriptor)
        continue
      }
      let address = Self.address(&connection, listener)
      let hostMax = config.maxConnectionsPerIpOverrides[address.host] ?? config.maxConnectionsPerIp
      if let refusal = limits.enter(
        address.host, totalMax: min(Int(config.maxConnections), connectionsMax), hostMax: Int(hostMax))
      {
        _ = ottla_close(descriptor)
        report(refusal, address)
        continue
      }
      let target = nextLoop
      nextLoop = (nextLoop + 1) % mailboxes.count
      if target == index {
        open(descriptor, address, shard)
      } else {
        outbox[target].append(.accepted(descriptor: descriptor, PeerAddressBox(address: address)))
      }
    }
  }

  private func report(_ refusal: ConnectionLimits.Refusal, _ address: PeerAddress) {
    guard let leftOut = refusalLine.admit(at: Instant(nanoseconds: ottla_monotonic_ns())) else { return }
    if leftOut > 0 { logger.warning("refused \(leftOut) more connections in the last second") }
    switch refusal {
    case .total(let limit):
      logger.warning(
        "refused a connection from \(address.host): there are \(limit) already (max.connections, or open files)")
    case .host(let limit):
      logger.warning("refused a connection from \(address.host): it has max.connections.per.ip = \(limit) already")
    }
  }

  /// Out of descriptors: whoever waits is closed at once, so that it learns of it, and so that the loop does not spin.
  private func turnAway(_ listener: Int) {
    if let leftOut = refusalLine.admit(at: Instant(nanoseconds: ottla_monotonic_ns())) {
      logger.error("no file descriptors left: turned away \(leftOut + 1) connections (raise the limit of open files)")
    }
    _ = ottla_close(spareDescriptor)
    var connection = ottla_connection()
    let descriptor = ottla_accept(listeners[listener], &connection)
    if descriptor >= 0 { _ = ottla_close(descriptor) }
    spareDescriptor = ottla_eventfd()
  }

  private static func address(_ connection: inout ottla_connection, _ listener: Int) -> PeerAddress {
    func text(_ characters: UnsafeRawBufferPointer) -> String {
      String(decoding: characters.prefix { $0 != 0 }, as: UTF8.self)
    }
    return PeerAddress(
      host: withUnsafeBytes(of: &connection.peer_host) { text($0) }, port: connection.peer_port,
      localHost: withUnsafeBytes(of: &connection.local_host) { text($0) }, localPort: connection.local_port,
      listener: listener)
  }

  private func open(_ descriptor: Int32, _ address: PeerAddress, _ shard: Shard) {
    let id = takeSlot()
    guard watch(descriptor, id) else {
      _ = ottla_close(descriptor)
      limits.leave(address.host)
      freeSlots.append(id.slot)
      return
    }
    sockets[id.slot] = LoopSocket(
      stage: .open, descriptor: descriptor, generation: id.generation, acceptedFrom: address.host)
    shard.opened(id, address)
  }

  private func readAgain(_ id: ConnectionID, _ shard: Shard) {
    guard isOpen(id) else { return }
    sockets[id.slot].isInReadList = false
    read(id, shard)
  }

  private func read(_ id: ConnectionID, _ shard: Shard) {
    var total = 0
    while isOpen(id), sockets[id.slot].isReadable, !sockets[id.slot].isPaused {
      if total >= Self.readBytesMax { return scheduleRead(id) }
      let count = ottla_receive(sockets[id.slot].descriptor, scratch.baseAddress, scratch.count)
      if count > 0 {
        if count < scratch.count, !sockets[id.slot].isHungUp { sockets[id.slot].isReadable = false }
        total += count
        shard.received(id, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<count]))
      } else if count == -Int(EAGAIN) {
        sockets[id.slot].isReadable = false
      } else {
        shard.closed(id)
      }
    }
  }

  private func scheduleRead(_ id: ConnectionID) {
    guard !sockets[id.slot].isInReadList else { return }
    sockets[id.slot].isInReadList = true
    readList.append(id)
  }

  // MARK: Transport

  func close(_ connection: ConnectionID) {
    guard isTaken(connection) else { return }
    let slot = connection.slot
    if sockets[slot].descriptor >= 0 { _ = ottla_close(sockets[slot].descriptor) }
    if let host = sockets[slot].acceptedFrom { limits.leave(host) }
    sockets[slot] = LoopSocket(generation: sockets[slot].generation &+ 1)
    freeSlots.append(slot)
  }

  func pauseReading(_ connection: ConnectionID) {
    if isOpen(connection) { sockets[connection.slot].isPaused = true }
  }

  func resumeReading(_ connection: ConnectionID) {
    guard isOpen(connection) else { return }
    sockets[connection.slot].isPaused = false
    if sockets[connection.slot].isReadable { scheduleRead(connection) }
  }

  // MARK: ShardLinks

  func send(_ message: ShardMessage, to shard: Int) { outbox[shard].append(.shard(message)) }
  func post() { postOutbox() }

  // MARK: DiskWorkers

  func submit(_ job: DiskJob, token: DiskToken, directory: Int) {
    disks.submit(job, token: token, shard: index, folder: directory)
  }

  func cancel(_ token: DiskToken, directory: Int) { disks.cancel(token, shard: index, folder: directory) }

  private func postOutbox() {
    for loop in outbox.indices where !outbox[loop].isEmpty {
      mailboxes[loop].post(outbox[loop])
      outbox[loop].removeAll(keepingCapacity: true)
    }
  }
}
