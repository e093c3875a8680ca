internal import Configuration
internal import Observability

/// How the process's file descriptors are shared out. Neither connections nor segment files may take all: an append that
/// cannot open its file fails, and a partition whose files cannot be opened at the start stays offline.
struct OpenFilesBudget: Hashable {
  /// How many segment files may be open at once, in all shards.
  let segmentFiles: Int
  /// How many connections there may be at once.
  let connections: Int

  /// Listeners, locks, checkpoints, the metadata log, and what the disk's threads open for themselves.
  private static let others = 88

  /// The brokers of a cluster for which there is to be room, beside this one.
  private static let otherBrokers = 16

  /// How many connections to other brokers there may be: a shard has one a lane to each.
  static func toBrokers(_ config: BrokerConfig, shards: Int, lanes: Int) -> Int {
    config.zookeeperConnect == nil ? 0 : otherBrokers * shards * lanes
  }

  /// Segment files get what is asked for, but no more than half of what `limit`, that of the process, and connections to other
  /// brokers leave; connections of clients get the rest. Each gets 16 however low the limit is.
  init(limit: Int, segmentFilesMax: Int, toBrokers: Int = 0) {
    let rest = max(0, limit - Self.others - toBrokers)
    segmentFiles = min(segmentFilesMax, max(16, rest / 2))
    connections = max(16, rest - segmentFiles)
  }

  /// Says what the limit has no room for.
  func warn(_ config: BrokerConfig, limit: Int, _ logger: Logger) {
    if segmentFiles < Int(config.ottlaOpenFilesMax) {
      logger.warning(
        "the limit of open files, \(limit), leaves room for \(segmentFiles) segment files, fewer than ottla.open.files.max = \(config.ottlaOpenFilesMax); raise it (ulimit -n, LimitNOFILE)"
      )
    }
    if connections < Int(config.maxConnections) {
      logger.warning(
        "the limit of open files, \(limit), leaves room for \(connections) connections, fewer than max.connections = \(config.maxConnections); raise it (ulimit -n, LimitNOFILE)"
      )
    }
  }
}
