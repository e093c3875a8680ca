internal import Configuration
internal import Observability
internal import Runtime

/// All that a start of an embedded broker needs, the first as well as those after it.
struct BrokerLaunch: Sendable {
  let properties: EmbeddedProperties
  let folder: StorageFolder
  let clock: BrokerClock
  let network: NetworkSwitch
  let ensemble: EnsembleThread?
  let log: @Sendable (String) -> Void
  let halt: HaltNote

  /// Starts the broker; waits until it accepts connections.
  ///
  /// - Parameter port: where it listens, 0 for a free port.
  func start(port: UInt16) throws(EmbeddedBrokerError) -> RunningBroker {
    let logger = Logger(sink: BrokerLog(properties.brokerCount > 1 ? "broker \(properties.id): " : "", log))
    let config = try properties.load(folder: folder.path, port: port, logger)
    var surroundings = BrokerSurroundings()
    surroundings.time = clock.time
    surroundings.fileSystem = folder.fileSystem
    surroundings.hasKernelFolders = folder.isKernels
    surroundings.network = network
    var maker: EnsembleMaker?
    if let ensemble {
      let id = properties.id
      maker = { order, wake in
        ensemble.client(broker: id, timeoutMs: Int64(order.sessionTimeoutMs), wake: wake)
      }
    }
    halt.clear()
    do throws(StartFailure) {
      return try RunningBroker(
        config: config, logger: logger, surroundings: surroundings, ensemble: maker, onHalt: halt.set)
    } catch {
      ensemble?.post(.lose(broker: properties.id))
      throw .notStarted(error.description)
    }
  }
}
