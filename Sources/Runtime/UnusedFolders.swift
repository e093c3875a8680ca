internal import Cluster
internal import Coordination
internal import Effects
internal import Primitives

/// A data folder that was never used, beside others that were: a new one, or the place where a disk is not mounted.
///
/// In the latter case its partitions must not begin again at offset 0. What tells the two apart is whether partitions of
/// the cluster are without their folders.
struct UnusedFolders: Sendable {
  private let unused: [String]
  private let all: [String]
  private let fileSystem: any FileSystem

  /// To be called before the folders get their identities.
  init(among directories: [String], _ fileSystem: any FileSystem) {
    all = directories
    unused = directories.filter { !fileSystem.exists($0 + "/" + IdentityFile.name) }
    self.fileSystem = fileSystem
  }

  /// Why a start on these folders would lose partitions; nil where it would not. What other brokers have, too, can be had
  /// from them.
  func refusal(_ image: ClusterImage, of broker: BrokerID) -> String? {
    guard let folder = unused.first, unused.count < all.count else { return nil }
    var missing: [TopicPartition] = []
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      missing += topic.partitions.enumerated().filter { $1.isr == [broker] }
        .map { TopicPartition(name, Int32($0.offset)) }.filter(hasNoFolder)
    }
    guard let example = missing.first else { return nil }
    return "\(folder) has nothing in it, and \(missing.count) partitions are without their folders, as \(example): "
      + "mount the disk that has them, or take \(folder) out of log.dirs to let them begin anew"
  }

  private func hasNoFolder(_ partition: TopicPartition) -> Bool {
    !all.contains { fileSystem.exists("\($0)/\(partition)") }
  }

  /// Lets them be unused again, so that the next start looks once more.
  func forget() {
    for folder in unused { try? fileSystem.removeFile(folder + "/" + IdentityFile.name) }
  }
}
