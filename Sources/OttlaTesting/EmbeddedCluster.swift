internal import Broker
internal import Cluster
internal import Primitives
internal import Runtime

/// Several embedded brokers that are one cluster, with a coordination service in memory instead of ZooKeeper.
///
/// ```swift
/// let cluster = try await EmbeddedCluster.start(brokers: 3)
/// let shop = try Shop(bootstrapServers: cluster.bootstrapServers)
/// try await shop.order("tea")
/// let leader = try #require(await cluster.leader(of: "orders", partition: 0))
/// await cluster.broker(leader).kill()              // another one leads, with all that was acknowledged
/// #expect(try await shop.orders() == ["tea"])
/// await cluster.stop()
/// ```
///
/// Each broker is an `EmbeddedBroker` with all that it can do. They replicate over real connections. Topics that do not say
/// otherwise have `min(3, brokers)` replicas; `min.insync.replicas` is Kafka's 1 unless a property says otherwise.
public final class EmbeddedCluster: Sendable {
  /// In the order of their ids, from 1 on.
  public let brokers: [EmbeddedBroker]
  /// The clock of all of them. Sessions of brokers with the coordination service see the time pass too: who is cut off from
  /// it loses its session, the others keep theirs.
  ///
  /// ```swift
  /// await cluster.clock.advance(by: .days(8))   // for every broker the retention of a week is over
  /// ```
  public let clock: BrokerClock

  private let ensemble: EnsembleThread

  private init(_ brokers: [EmbeddedBroker], _ clock: BrokerClock, _ ensemble: EnsembleThread) {
    self.brokers = brokers
    self.clock = clock
    self.ensemble = ensemble
  }

  /// Starts a cluster. Returns when every broker accepts connections; the first one is the controller.
  ///
  /// ```swift
  /// let cluster = try await EmbeddedCluster.start(brokers: 3, properties: ["min.insync.replicas": "2"])
  /// ```
  ///
  /// - Parameters:
  ///   - count: how many brokers, from 2 to 32; anything else is a mistake of the test's, and traps.
  ///   - storage: where records are kept, of each broker by itself.
  ///   - properties: Kafka's broker properties by name, the same for all.
  ///   - log: gets the log lines of all, each with its broker's id, from any thread.
  /// - Throws: as `EmbeddedBroker.start`; no broker is left running then.
  public static func start(
    brokers count: Int = 3, storage: BrokerStorage = .memory, properties: [String: String] = [:],
    log: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(EmbeddedBrokerError) -> EmbeddedCluster {
    precondition((2...32).contains(count), "a cluster of \(count) brokers")
    let ensemble = EnsembleThread()
    let clock = BrokerClock(ensemble: ensemble)
    var brokers: [EmbeddedBroker] = []
    do throws(EmbeddedBrokerError) {
      for id in 1...count {
        let own = EmbeddedProperties(id: id, brokerCount: count, given: properties)
        brokers.append(try await EmbeddedBroker.start(own, storage, clock, ensemble: ensemble, log))
      }
    } catch {
      await end(brokers, ensemble)
      throw error
    }
    return EmbeddedCluster(brokers, clock, ensemble)
  }

  /// The broker with that id; one that there is not is a mistake of the test's, and traps.
  public func broker(_ id: Int) -> EmbeddedBroker {
    precondition(brokers.indices.contains(id - 1), "broker \(id) of \(brokers.count)")
    return brokers[id - 1]
  }

  /// All brokers, for `bootstrap.servers`.
  public var bootstrapServers: String { brokers.map(\.bootstrapServers).joined(separator: ",") }

  /// Which broker leads a partition, by the newest image of the cluster that any running broker has; nil where there is no
  /// such partition, or nobody leads it.
  ///
  /// ```swift
  /// if let leader = await cluster.leader(of: "orders", partition: 0) { await cluster.broker(leader).kill() }
  /// ```
  public func leader(of topic: String, partition: Int) async -> Int? {
    var newest: (offset: Offset, leader: BrokerID)?
    for broker in brokers {
      let seen = await broker.look { view -> (offset: Offset, leader: BrokerID)? in
        guard view.shard.index == Shard.controllerShard else { return nil }
        let image = view.shard.clusterImage
        guard let found = image.topic(named: topic)?.partitions, found.indices.contains(partition) else { return nil }
        return (image.offset, found[partition].leader)
      }
      for case .some(let sight) in seen where sight.offset > newest?.offset ?? Offset(-1) { newest = sight }
    }
    guard let newest, newest.leader != .none else { return nil }
    return Int(newest.leader.value)
  }

  // MARK: links

  /// Cuts the connections between two brokers, both ways: they break, and new ones come to nothing until `heal`. Returns
  /// when it is so.
  ///
  /// ```swift
  /// await cluster.cutLink(between: 1, and: 2)
  /// ```
  public func cutLink(between one: Int, and other: Int) async {
    await broker(one).cut(port: broker(other).port)
    await broker(other).cut(port: broker(one).port)
  }

  /// Cuts a broker off from the coordination service. Its session ends after `zookeeper.session.timeout.ms`, here 6 seconds,
  /// or when the clock is moved so far; until then it goes on leading, as a real one.
  ///
  /// ```swift
  /// let leader = try #require(await cluster.leader(of: "orders", partition: 0))
  /// await cluster.cutCoordination(of: leader)
  /// try await shop.order("tea")                     // it leads still: clients and brokers reach it
  /// await cluster.clock.advance(by: .seconds(7))    // its session is over, another one comes to lead
  /// try await shop.order("cake")
  /// ```
  public func cutCoordination(of id: Int) async { ensemble.post(.cut(broker: broker(id).id)) }

  /// Cuts a broker off from everything: clients, brokers and the coordination service.
  ///
  /// ```swift
  /// await cluster.isolate(1)
  /// await cluster.clock.advance(by: .seconds(7))   // its session is over, others lead
  /// await cluster.heal()
  /// ```
  public func isolate(_ id: Int) async {
    await cutCoordination(of: id)
    await broker(id).cutNetwork()
  }

  /// Heals every link of the cluster.
  ///
  /// ```swift
  /// await cluster.cutLink(between: 1, and: 2)
  /// await cluster.isolate(3)
  /// // ... what does the program do in the meantime?
  /// await cluster.heal()   // all of that: the brokers connect again by themselves
  /// ```
  public func heal() async {
    ensemble.post(.heal)
    for broker in brokers { await broker.healNetwork() }
  }

  /// Ends all brokers and removes their files. No thread is left. The brokers end as if killed: nothing they hold is needed
  /// any more.
  public func stop() async { await Self.end(brokers, ensemble) }

  private static func end(_ brokers: [EmbeddedBroker], _ ensemble: EnsembleThread) async {
    for broker in brokers { await broker.kill() }
    for broker in brokers { await broker.stop() }
    await Blocking.run { ensemble.stop() }
  }
}
