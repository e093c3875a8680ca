internal import Runtime
internal import Synchronization

/// A whole broker inside the test's own process: the production code, on a free port of 127.0.0.1, so that any client can
/// connect to it, with a clock, a disk and a network that the test has in hand.
///
/// ```swift
/// let broker = try await EmbeddedBroker.start()
/// // What is tested: a program with any Kafka client, whose bootstrap.servers are the broker's.
/// let shop = try Shop(bootstrapServers: broker.bootstrapServers)
/// try await shop.order("tea")
/// await broker.kill()                              // as kill -9
/// try await broker.restart()                       // on the same port, with what was written
/// #expect(try await shop.orders() == ["tea"])
/// await broker.clock.advance(by: .days(8))         // retention, at once
/// #expect(try await shop.orders() == [])
/// await broker.stop()                              // no thread and no file is left
/// ```
///
/// A disk that fails, and what the program makes of it:
///
/// ```swift
/// broker.disk.fail([.syncs])
/// let ordering = Task { try await shop.order("tea") }   // is told KAFKA_STORAGE_ERROR, and tries again
/// while broker.haltReason == nil { try await Task.sleep(for: .milliseconds(10)) }
/// #expect(broker.isRunning)                             // one that is alone stays, and answers with errors
/// broker.disk.heal()
/// try await broker.restart()
/// try await ordering.value
/// ```
///
/// It touches nothing of the process around it: no signals, no exit, no standard output. End it with `stop`. One that
/// is dropped instead is killed when the last reference goes, and its files are removed; the thread that drops it waits for
/// that, some milliseconds.
///
/// Its configuration is Kafka's but for what a test would wait for; `defaults` lists that.
public final class EmbeddedBroker: Sendable {
  /// Can become: running -> down (killed, or it could not go on) -> running; each -> stopped.
  private enum Phase {
    case running(RunningBroker)
    case down
    case stopped
  }

  /// Its `node.id`: 1, or its number in the cluster, from 1 on.
  ///
  /// ```swift
  /// for broker in cluster.brokers { print("broker \(broker.id) is at \(broker.bootstrapServers)") }
  /// ```
  public let id: Int
  /// Where it listens on 127.0.0.1: the same after each restart.
  ///
  /// ```swift
  /// // For a program that wants host and port apart:
  /// let environment = ["KAFKA_HOST": "127.0.0.1", "KAFKA_PORT": "\(broker.port)"]
  /// ```
  public let port: Int
  /// Its clock; that of all brokers in a cluster.
  public let clock: BrokerClock
  /// The disk under its records.
  public let disk: BrokerDisk

  private let launch: BrokerLaunch
  /// Held while it starts, stops or is looked into: one after the other.
  private let phase: Mutex<Phase>

  /// Starts a broker that is alone. Returns when it accepts connections, after some milliseconds.
  ///
  /// ```swift
  /// let broker = try await EmbeddedBroker.start(properties: ["num.partitions": "6"], log: { print($0) })
  /// ```
  ///
  /// - Parameters:
  ///   - storage: where records are kept.
  ///   - properties: Kafka's broker properties by name, over `defaults`. The address, the folders and the number are its own
  ///     business and cannot be set.
  ///   - log: gets the broker's log lines, from any thread.
  /// - Throws: `.badProperties`, or `.notStarted` where the machine has no port, thread or folder for it.
  public static func start(
    storage: BrokerStorage = .memory, properties: [String: String] = [:],
    log: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(EmbeddedBrokerError) -> EmbeddedBroker {
    let properties = EmbeddedProperties(id: 1, brokerCount: 1, given: properties)
    return try await start(properties, storage, BrokerClock(), ensemble: nil, log)
  }

  /// The properties that have other defaults than Kafka's, in a broker that is alone.
  ///
  /// ```swift
  /// for (name, value) in EmbeddedBroker.defaults.sorted(by: <) { print("\(name)=\(value)") }
  /// // A test of how members join wants what Kafka does: wait 3 seconds for more of them.
  /// let broker = try await EmbeddedBroker.start(properties: ["group.initial.rebalance.delay.ms": "3000"])
  /// ```
  public static var defaults: [String: String] { EmbeddedProperties.defaults(brokerCount: 1) }

  static func start(
    _ properties: EmbeddedProperties, _ storage: BrokerStorage, _ clock: BrokerClock, ensemble: EnsembleThread?,
    _ log: @escaping @Sendable (String) -> Void
  ) async throws(EmbeddedBrokerError) -> EmbeddedBroker {
    let outcome = await Blocking.run { () -> Result<EmbeddedBroker, EmbeddedBrokerError> in
      do throws(EmbeddedBrokerError) {
        return .success(try EmbeddedBroker(properties, storage, clock, ensemble: ensemble, log))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  private init(
    _ properties: EmbeddedProperties, _ storage: BrokerStorage, _ clock: BrokerClock, ensemble: EnsembleThread?,
    _ log: @escaping @Sendable (String) -> Void
  ) throws(EmbeddedBrokerError) {
    let disk = BrokerDisk()
    let folder = try StorageFolder(storage, disk)
    let launch = BrokerLaunch(
      properties: properties, folder: folder, clock: clock, network: NetworkSwitch(), ensemble: ensemble, log: log,
      halt: HaltNote())
    do throws(EmbeddedBrokerError) {
      let running = try launch.start(port: 0)
      phase = Mutex(.running(running))
      port = Int(running.addresses.first?.port ?? 0)
      clock.add(running)
    } catch {
      folder.remove()
      throw error
    }
    id = properties.id
    self.clock = clock
    self.disk = disk
    self.launch = launch
    if ensemble != nil { launch.halt.whenSet { [weak self] in self?.endAfterHalt() } }
  }

  deinit {
    phase.withLock { phase in
      end(&phase) { $0.kill() }
      if case .down = phase { launch.folder.remove() }
    }
  }

  /// For `bootstrap.servers`, as `127.0.0.1:40213`.
  public var bootstrapServers: String { "127.0.0.1:\(port)" }

  /// Whether it runs: not after `kill` and `stop`, and not after it could not go on in a cluster. Waits for a start or a stop
  /// that is under way.
  public var isRunning: Bool {
    phase.withLock { if case .running = $0 { true } else { false } }
  }

  /// Why the broker could not go on since its last start, as where its disk failed; nil where it can.
  ///
  /// The program `ottla` ends then. So does a broker of an embedded cluster, for others to lead in its place; one that is
  /// alone stays and answers with errors, so that clients can be tested against them. `restart` brings either back.
  public var haltReason: String? { launch.halt.reason }

  // MARK: ending and starting again

  /// Ends the broker as `kill -9` does: connections break, nobody is told, what was in nobody's file is gone. Its files stay.
  /// In a cluster the others learn of it at once, and not only after its session's timeout. Nothing where it does not run.
  ///
  /// ```swift
  /// await broker.kill()
  /// try await broker.restart()   // with what was written
  /// ```
  public func kill() async {
    await Blocking.run { [self] in phase.withLock { kill(&$0) } }
  }

  /// Starts the broker again on its port and its files; one that runs is stopped in order first.
  ///
  /// ```swift
  /// try await broker.restart()
  /// ```
  ///
  /// - Throws: `.stopped` after `stop`; `.notStarted`, as where another process has taken the port meanwhile, or the disk is
  ///   made to fail: the broker is down then, and can be started again.
  public func restart() async throws(EmbeddedBrokerError) {
    let outcome = await Blocking.run { [self] in phase.withLock { restart(&$0) } }
    try outcome.get()
  }

  /// Ends the broker in order and removes its files. No thread is left; nothing can be done with it any more but asking.
  ///
  /// ```swift
  /// await broker.stop()
  /// ```
  public func stop() async {
    await Blocking.run { [self] in
      phase.withLock { phase in
        end(&phase) { $0.stop() }
        if case .down = phase { launch.folder.remove() }
        phase = .stopped
      }
    }
  }

  private func restart(_ phase: inout Phase) -> Result<Void, EmbeddedBrokerError> {
    end(&phase) { $0.stop() }
    guard case .down = phase else { return .failure(.stopped) }
    do throws(EmbeddedBrokerError) {
      let running = try launch.start(port: UInt16(port))
      clock.add(running)
      phase = .running(running)
      return .success(())
    } catch {
      return .failure(error)
    }
  }

  private func kill(_ phase: inout Phase) {
    end(&phase) { $0.kill() }
    if case .down = phase { launch.ensemble?.post(.lose(broker: id)) }
  }

  private func end(_ phase: inout Phase, _ how: (RunningBroker) -> Void) {
    guard case .running(let running) = phase else { return }
    // Whoever moves the clock looks into the loops of this broker: they must not end meanwhile.
    clock.remove(running)
    how(running)
    phase = .down
  }

  /// The program would end now, in order as far as that is possible.
  private func endAfterHalt() {
    phase.withLock { phase in
      guard haltReason != nil else { return }
      end(&phase) { $0.stop() }
      if case .down = phase { launch.ensemble?.post(.lose(broker: id)) }
    }
  }

  // MARK: the network

  /// Cuts the broker off: its connections break, those of clients and those to and from other brokers, and a client that
  /// connects is hung up on, until `healNetwork`. Returns when it is so.
  ///
  /// ```swift
  /// await broker.cutNetwork()
  /// // ... what does the program do without its broker?
  /// await broker.healNetwork()
  /// ```
  public func cutNetwork() async {
    launch.network.cut()
    await applyNetwork()
  }

  /// Cuts the connections that this broker makes to a port.
  func cut(port: Int) async {
    launch.network.block(port: UInt16(port))
    await applyNetwork()
  }

  /// Lets connections through again. Clients and brokers connect by themselves, after their back-off.
  ///
  /// ```swift
  /// await broker.cutNetwork()
  /// let ordering = Task { try await shop.order("tea") }
  /// try await Task.sleep(for: .seconds(1))   // the client has tried, and been hung up on
  /// await broker.healNetwork()
  /// try await ordering.value
  /// ```
  public func healNetwork() async { launch.network.heal() }

  private func applyNetwork() async {
    await Blocking.run { [self] in
      phase.withLock { phase in
        guard case .running(let running) = phase else { return }
        running.applyNetwork()
        _ = LoopLook.collect([running]) { _ in true }
      }
    }
  }

  /// What `body` sees in the event loops; nothing where the broker does not run.
  func look<Sight: Sendable>(_ body: @escaping @Sendable (LoopView) -> Sight) async -> [Sight] {
    await Blocking.run { [self] in
      phase.withLock { phase in
        guard case .running(let running) = phase else { return [] }
        return LoopLook.collect([running], body)
      }
    }
  }
}
